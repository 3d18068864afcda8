/** The replacement of each symbol in a locale that is not UTF-8. */
const PLAIN: Readonly<Record<string, string>> = {
  '✓': 'ok',
  '✗': 'x',
  '→': '->',
  '·': '|',
  '–': '-',
  '…': '...',
  '█': '#',
  '░': '.',
};
/** A symbol, the rest of its cell, and the gap after the cell. */
const CELL = new RegExp(`([${Object.keys(PLAIN).join('')}])((?:\\S| (?! ))*)( {2,})?`, 'g');

/** Replaces symbols by ASCII. Longer replacements take their space from the gap after the cell, so that columns stay aligned. */
export function plainSymbols(text: string): string {
  return text.replace(CELL, (_all, symbol: string, rest: string, gap: string | undefined) => {
    const plain = PLAIN[symbol] ?? symbol;
    const after = rest.replace(/[✓✗→·–…█░]/g, (each) => PLAIN[each] ?? each);
    if (gap === undefined) return plain + after;
    const growth = plain.length - symbol.length + after.length - rest.length;
    return plain + after + ' '.repeat(Math.max(1, gap.length - growth));
  });
}
