import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer,
} from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useLayoutEffect, useReducer, useState } from 'preact/hooks';

/** The visible rows of a list. */
export interface VirtualRows {
  readonly rows: readonly VirtualItem[];
  /** Height of all rows, pixels. */
  readonly total: number;
  /** Scrolls until the row is visible. */
  readonly reveal: (index: number) => void;
}

/** Which of `count` rows of `height` pixels are visible in a scrolling element with a sticky header of `header` pixels. */
export function useVirtualRows(
  scrolling: RefObject<HTMLElement>,
  count: number,
  height: number,
  header = 0,
): VirtualRows {
  const [, redraw] = useReducer((turn: number) => turn + 1, 0);
  const options = {
    count,
    getScrollElement: () => scrolling.current,
    estimateSize: () => height,
    overscan: 12,
    scrollPaddingEnd: header,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => redraw(undefined),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, Element>(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, height]);
  return {
    rows: virtualizer.getVirtualItems(),
    total: virtualizer.getTotalSize(),
    reveal: (index) => virtualizer.scrollToIndex(index, { align: 'auto' }),
  };
}
