import type { ComponentChildren } from 'preact';
import { Empty, Scrolling } from './small.tsx';

/** The title of a column, and its cell for a row. */
type Column<T> = readonly [title: string, cell: (row: T) => ComponentChildren];

interface Props<T> {
  readonly label: string;
  readonly rows: readonly T[];
  /** Unique among the rows. */
  readonly keyOf: (row: T) => string;
  readonly columns: readonly Column<T>[];
  /** Whether the first cell of a row names the row. */
  readonly rowHeader?: boolean;
  /** Shown in place of a table without rows. */
  readonly none?: string;
}

export function DataTable<T>({ label, rows, keyOf, columns, rowHeader = false, none }: Props<T>) {
  if (none !== undefined && rows.length === 0) return <Empty>{none}</Empty>;
  return (
    <Scrolling label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(([title]) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(([title, cell], index) =>
                rowHeader && index === 0 ? (
                  <th key={title} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={title}>{cell(row)}</td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolling>
  );
}
