import { useEffect, useState } from 'preact/hooks';

/** Tables become lists at this width and below; narrow.css has the same. */
const NARROW = '(max-width: 800px)';
const COARSE = '(pointer: coarse)';

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const update = (): void => setMatches(list.matches);
    list.addEventListener('change', update);
    return () => list.removeEventListener('change', update);
  }, [query]);
  return matches;
}

export const useNarrow = (): boolean => useMedia(NARROW);

/** Heights of rows of virtual lists, pixels: those of tokens.css and tables.css, at the reader's text size. */
export function useRowHeights(): { readonly row: number; readonly header: number; readonly item: number } {
  const coarse = useMedia(COARSE);
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  return { row: (coarse ? 2.75 : 1.875) * rem, header: 1.75 * rem, item: 4.25 * rem };
}
