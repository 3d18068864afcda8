import stringWidth from 'string-width';
import { oneLine } from '../../../shared/domain/text.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Whether cells may be shortened if the terminal is too narrow. Do not set it for ids and numbers. */
  readonly shrinks?: boolean;
  /** If shortening is not enough, columns are dropped in this order, lowest number first. A column without a number stays, unless it is empty. */
  readonly dropOrder?: number;
  /** Adds colour to a cell, after the widths are computed. */
  readonly paint?: (text: string) => string;
}

/** Minimum width of a shortened column. */
const MIN_WIDTH = 8;
/** If a column would become narrower than this, other columns are dropped first. */
const READABLE = 14;
const GAP = '  ';

/** A column with its index in the rows and its width in terminal cells. */
interface SizedColumn extends Column {
  readonly at: number;
  width: number;
  readonly empty: boolean;
}

/**
 * The lines of a table. Columns are as wide as their widest cell, in terminal cells. If they do not fit into `width`, empty columns and
 * columns with a `dropOrder` are dropped, and the widest shrinkable columns are shortened with `…`. The last line names dropped columns
 * that are not empty. If the table still does not fit, the terminal wraps it.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | null,
): string[] {
  const cells = rows.map((row) => row.map(oneLine));
  const all = columns.map((column, at): SizedColumn => {
    const widest = cells.reduce((most, row) => Math.max(most, stringWidth(row[at] ?? '')), 0);
    return { ...column, at, width: Math.max(widest, stringWidth(column.title)), empty: widest === 0 };
  });
  const kept = width === null ? all : fittingColumns(all, width);
  if (width !== null) shrink(kept, width);
  const line = (row: readonly string[], painted: boolean): string =>
    kept
      .map(({ at, width: cell, align = 'left', paint }, place) => {
        const text = fitted(row[at] ?? '', cell, align, place === kept.length - 1);
        return painted && paint !== undefined ? paint(text) : text;
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map(({ title }) => title);
  const missing = all.filter((column) => !column.empty && !kept.includes(column)).map(({ title }) => title);
  return [line(titles, false), ...cells.map((row) => line(row, true)), ...missingText(missing, width)];
}

function missingText(missing: readonly string[], width: number | null): string[] {
  if (missing.length === 0 || width === null) return [];
  return [shorten(`(too narrow for ${missing.join(', ')}; --json has all)`, width)];
}

function fittingColumns(columns: readonly SizedColumn[], width: number): readonly SizedColumn[] {
  const order = columns
    .filter(({ empty, dropOrder }) => empty || dropOrder !== undefined)
    .sort((a, b) => Number(b.empty) - Number(a.empty) || (a.dropOrder ?? 0) - (b.dropOrder ?? 0));
  let kept = columns;
  for (const next of order) {
    const readable = kept.map((column) => (column.shrinks === true ? Math.min(column.width, READABLE) : column.width));
    if (totalOf(readable) <= width) break;
    kept = kept.filter((column) => column !== next);
  }
  return kept;
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
}

export { oneLine };

function shrink(columns: readonly SizedColumn[], width: number): void {
  while (totalOf(columns.map((column) => column.width)) > width) {
    const widest = columns
      .filter((column) => column.shrinks === true && column.width > MIN_WIDTH)
      .reduce<SizedColumn | null>((most, column) => (most === null || column.width > most.width ? column : most), null);
    if (widest === null) return;
    widest.width -= 1;
  }
}

function fitted(text: string, width: number, align: 'left' | 'right', last: boolean): string {
  const short = shorten(text, width);
  const pad = ' '.repeat(Math.max(0, width - stringWidth(short)));
  if (align === 'right') return pad + short;
  return last ? short : short + pad;
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Shortens text to `width` terminal cells, with `…` at the end. */
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
