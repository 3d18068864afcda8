/**
 * The coefficients of the linear model that fits best: y ≈ Σ coefficient × x, over all rows; a column of ones gives the constant.
 * @throws RangeError if the rows do not determine them.
 */
export function leastSquares(rows: readonly (readonly number[])[], values: readonly number[]): number[] {
  const width = rows[0]?.length ?? 0;
  const sumOf = (at: (row: readonly number[], index: number) => number): number =>
    rows.reduce((sum, row, index) => sum + at(row, index), 0);
  // The normal equations are exact enough for a few columns of whole numbers.
  const system = Array.from({ length: width }, (_, i) => [
    ...Array.from({ length: width }, (__, j) => sumOf((row) => (row[i] ?? 0) * (row[j] ?? 0))),
    sumOf((row, index) => (row[i] ?? 0) * (values[index] ?? 0)),
  ]);
  return solved(system);
}

/** Gauss-Jordan elimination with pivots; each row ends with its right-hand side. */
function solved(system: number[][]): number[] {
  for (let column = 0; column < system.length; column += 1) {
    const pivot = swapIn(system, column);
    for (const [index, row] of system.entries()) {
      if (index === column) continue;
      const factor = (row[column] ?? 0) / (pivot[column] ?? 1);
      for (let at = column; at < row.length; at += 1) row[at] = (row[at] ?? 0) - factor * (pivot[at] ?? 0);
    }
  }
  return system.map((row, index) => (row.at(-1) ?? 0) / (row[index] ?? 1));
}

function swapIn(system: number[][], column: number): number[] {
  const sizes = system.map((row, index) => (index < column ? -1 : Math.abs(row[column] ?? 0)));
  const best = sizes.indexOf(Math.max(...sizes));
  const [pivot, present] = [system[best], system[column]];
  if (pivot === undefined || present === undefined || (sizes[best] ?? 0) < 1e-9) {
    throw new RangeError('the rows do not determine the coefficients');
  }
  system[best] = present;
  system[column] = pivot;
  return pivot;
}
