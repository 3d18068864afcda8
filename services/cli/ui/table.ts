import stringWidth from 'string-width';
import { oneLine } from '../../../shared/domain/text.ts';
import { hang, shortenMiddle } from './wrap.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Whether cells may be shortened in the middle if the terminal is too narrow: for names and OUs, not for ids, numbers, statuses and times. */
  readonly shrinks?: boolean;
  /** Minimum width of a column that shrinks, terminal cells. Default 15. */
  readonly least?: number;
  /** Minimum width, terminal cells, so that tables below each other are aligned. */
  readonly minWidth?: number;
  /** Whether cells wrap at words, under their own start: for the sentences of the last column. */
  readonly wraps?: boolean;
  /** If shortening is not enough, columns are dropped in this order, lowest number first. A column without a number stays, unless it is empty. */
  readonly dropOrder?: number;
  /** Adds colour to a cell, after the widths are computed. */
  readonly paint?: (text: string) => string;
}

export interface TableLayout {
  /** Spaces before each line; they are part of the width. Default 0. */
  readonly indent?: number;
  /** Whether the first line has the titles. Default `true`. */
  readonly titles?: boolean;
}

/** Minimum width of a shortened column, terminal cells. If a name would become shorter, other columns are dropped first. */
const MIN_NAME = 15;
/** Minimum width of a wrapped column, terminal cells. If there is less room, its text goes on lines below the other cells of the row. */
const MIN_SENTENCE = 24;
const GAP = '  ';

/** A column with its index in the rows and its width in terminal cells. */
interface SizedColumn extends Column {
  readonly at: number;
  width: number;
  readonly empty: boolean;
}

/**
 * The lines of a table. Columns are as wide as their widest cell, in terminal cells. If they do not fit into `width`, empty columns and
 * columns with a `dropOrder` are dropped, the last column wraps, and the widest names are shortened in the middle. If the table still does not
 * fit, the terminal wraps it. `width` `null` (not a terminal): everything is shown in full, on one line per row.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | null,
  { indent = 0, titles = true }: TableLayout = {},
): string[] {
  const cells = rows.map((row) => row.map(oneLine));
  const all = sized(columns, cells, titles);
  const room = width === null ? null : width - indent;
  const kept = room === null ? all : fittingColumns(all, room);
  if (room !== null) shrink(kept, room);
  const margin = ' '.repeat(indent);
  const head = columns.map(({ title }) => title);
  const lines = [
    ...(titles ? linesOf(kept, head, null, false) : []),
    ...cells.flatMap((row) => linesOf(kept, row, room, true)),
  ];
  return lines.map((line) => `${margin}${line}`.trimEnd());
}

/** The width from which on the table has every column that is not empty, and shortens none below its least width. */
export function leastTableWidth(columns: readonly Column[], rows: readonly (readonly string[])[]): number {
  const cells = rows.map((row) => row.map(oneLine));
  return totalOf(sized(columns, cells, true).flatMap((column) => (column.empty ? [] : [leastWidth(column)])));
}

/** The columns with the widths of their widest cells. */
function sized(
  columns: readonly Column[],
  cells: readonly (readonly string[])[],
  titles: boolean,
): readonly SizedColumn[] {
  return columns.map((column, at): SizedColumn => {
    const widest = cells.reduce((most, row) => Math.max(most, stringWidth(row[at] ?? '')), 0);
    const least = Math.max(column.minWidth ?? 0, titles ? stringWidth(column.title) : 0);
    return { ...column, at, width: Math.max(widest, least), empty: widest === 0 };
  });
}

/** The lines of one row: more than one if its last cell wraps. */
function linesOf(
  columns: readonly SizedColumn[],
  row: readonly string[],
  room: number | null,
  painted: boolean,
): string[] {
  const cells = columns.map((column) => {
    const text = row[column.at] ?? '';
    const cell = column.wraps === true ? text : fitted(column, text);
    return painted && column.paint !== undefined ? column.paint(cell) : cell;
  });
  const last = columns.at(-1);
  if (last?.wraps !== true) return [cells.join(GAP)];
  const before = cells
    .slice(0, -1)
    .map((cell) => cell + GAP)
    .join('');
  const sentence = cells.at(-1) ?? '';
  // On a very narrow terminal, the sentence goes on lines of its own.
  if (room !== null && before !== '' && room - stringWidth(before) < MIN_SENTENCE)
    return [before.trimEnd(), ...hang(GAP, sentence, room)];
  return hang(before, sentence, room);
}

/** The columns that stay, with names and sentences at their least width. */
function fittingColumns(columns: readonly SizedColumn[], width: number): readonly SizedColumn[] {
  const order = columns
    .filter(({ empty, dropOrder }) => empty || dropOrder !== undefined)
    .sort((a, b) => Number(b.empty) - Number(a.empty) || (a.dropOrder ?? 0) - (b.dropOrder ?? 0));
  let kept = columns;
  for (const next of order) {
    if (totalOf(kept.map(leastWidth)) <= width) break;
    kept = kept.filter((column) => column !== next);
  }
  return kept;
}

function leastWidth({ width, shrinks, least = MIN_NAME, wraps }: SizedColumn): number {
  if (wraps === true) return Math.min(width, MIN_SENTENCE);
  return shrinks === true ? Math.min(width, least) : width;
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
}

export { oneLine };

/** A sentence wraps before a name is shortened. */
function shrink(columns: readonly SizedColumn[], width: number): void {
  const widths = (): number => totalOf(columns.map((column) => column.width));
  const sentence = columns.find(({ wraps }) => wraps === true);
  if (sentence !== undefined)
    sentence.width = Math.max(leastWidth(sentence), sentence.width - Math.max(0, widths() - width));
  while (widths() > width) {
    const widest = columns
      .filter((column) => column.shrinks === true && column.width > leastWidth(column))
      .reduce<SizedColumn | null>((most, column) => (most === null || column.width > most.width ? column : most), null);
    if (widest === null) return;
    widest.width -= 1;
  }
}

function fitted({ width, align = 'left', shrinks = false }: SizedColumn, text: string): string {
  const short = shrinks ? shortenMiddle(text, width) : text;
  const pad = ' '.repeat(Math.max(0, width - stringWidth(short)));
  return align === 'right' ? pad + short : short + pad;
}
