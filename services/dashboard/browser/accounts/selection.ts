import { useMemo, useState } from 'preact/hooks';

/** The selected accounts of a list. */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly toggle: (index: number) => void;
  /** Selects the rows from the last selected one. */
  readonly extend: (index: number) => void;
  readonly add: (ids: Iterable<string>) => void;
  readonly clear: () => void;
}

/** @param idAt the account of a row; `undefined`: not read yet */
export function useSelection(idAt: (index: number) => string | undefined): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const [anchor, setAnchor] = useState<number | null>(null);
  return useMemo(() => {
    const add = (more: Iterable<string>): void => setIds((now) => new Set([...now, ...more]));
    return {
      ids,
      add,
      toggle: (index) => {
        const id = idAt(index);
        if (id === undefined) return;
        setAnchor(index);
        setIds((now) => new Set(now.has(id) ? [...now].filter((each) => each !== id) : [...now, id]));
      },
      extend: (index) => {
        const from = anchor ?? index;
        const [first, last] = [Math.min(from, index), Math.max(from, index)];
        add(Array.from({ length: last - first + 1 }, (_, n) => idAt(first + n)).filter((id) => id !== undefined));
      },
      clear: () => {
        setIds(new Set());
        setAnchor(null);
      },
    };
  }, [ids, anchor, idAt]);
}
