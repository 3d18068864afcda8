/** Parses RFC 4180 independently of the writer. Invalid input ends the parsing, so rows are missing. */
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

/** The start of a cell that a spreadsheet would treat as a formula. */
export const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** The original text of a cell: without the apostrophes that prevent formulas. */
export function unguarded(cell: string): string {
  return cell.replace(/^'/, '').replace(/([;\t\n]|(?!^)\r)( *)'/g, '$1$2');
}
