/** RFC 4180, by hand and not by what writes it: rows of cells. What is none ends the reading, so rows are missing. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/y;
  for (let match = cell.exec(text); match !== null; match = cell.exec(text)) {
    const [, raw = '', end] = match;
    row.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

/** How a cell begins that a spreadsheet takes for a formula. */
export const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** The text that a cell was made of: without the apostrophes that keep formulas from being one. */
export function unguarded(cell: string): string {
  return cell.replace(/^'/, '').replace(/([;\t\n]|(?!^)\r)( *)'/g, '$1$2');
}
