import { useEffect, useMemo, useReducer } from 'preact/hooks';

/** Tables become lists at this width and below; narrow.css has the same. */
const NARROW = '(max-width: 800px)';
const COARSE = '(pointer: coarse)';

/** Reads the current state at each render, because the query may change between renders. */
function useMedia(query: string): boolean {
  const [, redraw] = useReducer((turn: number) => turn + 1, 0);
  const list = useMemo(() => matchMedia(query), [query]);
  useEffect(() => {
    const update = (): void => redraw(undefined);
    list.addEventListener('change', update);
    return () => list.removeEventListener('change', update);
  }, [list]);
  return list.matches;
}

export const useNarrow = (): boolean => useMedia(NARROW);

/** With three kinds, the reason takes the space of the account id up to the first width, and the space of the OU up to the second. */
const THREE_KINDS = { id: '(max-width: 1600px)', ou: '(max-width: 1366px)' } as const;
const MEDIUM = '(max-width: 1180px)';

/** The columns that the accounts table has room for. The value of a missing column is below the account name. */
export interface AccountColumns {
  readonly id: boolean;
  readonly ou: boolean;
}

export function useAccountColumns(kinds: number): AccountColumns {
  const id = !useMedia(kinds > 2 ? THREE_KINDS.id : MEDIUM);
  const ou = !useMedia(kinds > 2 ? THREE_KINDS.ou : MEDIUM);
  return { id, ou };
}

interface RowHeights {
  readonly row: number;
  /** A row whose first column has two lines. */
  readonly tall: number;
  readonly header: number;
  readonly item: number;
}

/** Heights of rows of virtual lists, pixels: those of tokens.css, tables.css and accounts.css, at the reader's text size. */
export function useRowHeights(): RowHeights {
  const coarse = useMedia(COARSE);
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  return {
    row: (coarse ? 2.75 : 1.875) * rem,
    tall: (coarse ? 2.75 : 2.125) * rem,
    header: 1.75 * rem,
    item: 4.25 * rem,
  };
}
