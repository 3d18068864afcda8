/*
 * The format of RFC 4180. Text written by people may look like a formula to a spreadsheet, so such a cell gets an apostrophe in front. So does a cell
 * that begins with an apostrophe, so that the prefix can be removed unambiguously.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */

/** Formulas begin with these characters, also in full width. Spreadsheets skip a tab or a line break before a formula. */
const RISKY = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20']/;

/** To a spreadsheet that separates cells by semicolons or tabs, a formula may also begin inside a cell of this file. */
const RISKY_INSIDE = /([;\t\n]|(?!^)\r)( *)(?=[=+\-@\uff1d\uff0b\uff0d\uff20'])/g;

function guarded(text: string): string {
  const inside = text.replace(RISKY_INSIDE, "$1$2'");
  return RISKY.test(text) ? `'${inside}` : inside;
}

export function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  const safe = typeof value === 'string' ? guarded(text) : text;
  return /[",;\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A line without its end, for a writer that ends lines itself. */
export const csvRow = (values: readonly unknown[]): string => values.map(csvCell).join(',');

/** A line of a file. */
export const csvLine = (values: readonly unknown[]): string => `${csvRow(values)}\r\n`;
