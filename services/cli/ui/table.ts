import stringWidth from 'string-width';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be shortened where the terminal is too narrow; ids and numbers never are. */
  readonly shrinks?: boolean;
  /** Painted after the widths are known. */
  readonly paint?: (text: string) => string;
}

/** Never narrower than this when shortened. */
const LEAST = 8;
const GAP = '  ';

/**
 * Lines of a table. Columns are as wide as their widest cell in terminal cells; if `width` is given and they don't fit, the widest of
 * those that may shrink are shortened with `…`. What no shrinking helps is left to the terminal.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | null,
): string[] {
  const cells = rows.map((row) => row.map(oneLine));
  const widths = columns.map((column, at) =>
    cells.reduce((most, row) => Math.max(most, stringWidth(row[at] ?? '')), stringWidth(column.title)),
  );
  if (width !== null) shrink(columns, widths, width);
  const line = (row: readonly string[], painted: boolean): string =>
    columns
      .map((column, at) => {
        const text = fitted(row[at] ?? '', widths[at] ?? 0, column.align ?? 'left', at === columns.length - 1);
        return painted && column.paint !== undefined ? column.paint(text) : text;
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map(({ title }) => title);
  return [line(titles, false), ...cells.map((row) => line(row, true))];
}

/** Names and messages come from outside: a line break or an escape sequence in them must not draw on the terminal. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}

function shrink(columns: readonly Column[], widths: number[], width: number): void {
  const total = (): number => widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
  while (total() > width) {
    let widest = -1;
    for (const [at, column] of columns.entries()) {
      const here = widths[at] ?? 0;
      if (column.shrinks === true && here > LEAST && (widest < 0 || here > (widths[widest] ?? 0))) widest = at;
    }
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function fitted(text: string, width: number, align: 'left' | 'right', last: boolean): string {
  const short = shorten(text, width);
  const pad = ' '.repeat(Math.max(0, width - stringWidth(short)));
  if (align === 'right') return pad + short;
  return last ? short : short + pad;
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** At most `width` terminal cells, the last one `…` if anything is left out. */
export function shorten(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    const cells = stringWidth(segment);
    if (used + cells > width - 1) break;
    kept += segment;
    used += cells;
  }
  return `${kept}…`;
}
