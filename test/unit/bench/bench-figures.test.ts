import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { figure } from '../../bench/figure.ts';
import { leastSquares } from '../../bench/least-squares.ts';
import { repeated } from '../../bench/repeated.ts';

describe('leastSquares', () => {
  it('finds the coefficients that the values were made with', () => {
    const coefficient = fc.integer({ min: -1_000, max: 1_000 });
    fc.assert(
      fc.property(coefficient, coefficient, coefficient, (constant, perAccount, perDrift) => {
        const rows = [1_000, 3_000, 10_000].flatMap((x) => [0, 40, 170].map((y) => [1, x, y]));
        const values = rows.map(([, x = 0, y = 0]) => constant + perAccount * x + perDrift * y);
        const found = leastSquares(rows, values);
        for (const [n, wanted] of [constant, perAccount, perDrift].entries()) expect(found[n]).toBeCloseTo(wanted, 4);
      }),
    );
  });

  it('fits a line through scattered points', () => {
    const [constant, slope] = leastSquares(
      [
        [1, 0],
        [1, 0],
        [1, 2],
        [1, 2],
      ],
      [0, 2, 4, 6],
    );
    expect(constant).toBeCloseTo(1);
    expect(slope).toBeCloseTo(2);
  });

  it('rejects rows that determine no line', () => {
    expect(() =>
      leastSquares(
        [
          [1, 5],
          [1, 5],
        ],
        [1, 2],
      ),
    ).toThrow(RangeError);
  });
});

describe('figures', () => {
  const measured = { name: 'pace', unit: 'calls/s', target: { atLeast: 9 } };

  it('state the machine, the versions and the spread of the runs', () => {
    const { value, met, detail } = figure({ ...measured, runs: [10, 8, 9] });
    expect({ value, met }).toEqual({ value: 9, met: true });
    expect(detail).toMatchObject({ median: 9, runs: [10, 8, 9], spread: { min: 8, max: 10 }, node: process.version });
    expect(Object.keys(detail)).toEqual(expect.arrayContaining(['machine', 'cpu', 'cores', 'versions', 'load']));
  });

  it('without a target are neither met nor missed', () => {
    expect(figure({ ...measured, target: null, runs: [1] }).met).toBeNull();
  });

  it('of repeated benches are assessed by all their runs', async () => {
    const paces = [5, 10, 12];
    let round = 0;
    const bench = repeated(async () => {
      const runs = [paces[round] ?? Number.NaN];
      round += 1;
      return [figure({ ...measured, runs, detail: { round } }), figure({ ...measured, name: 'other', runs: [round] })];
    });
    const [pace, other] = await bench();
    expect(pace).toMatchObject({ name: 'pace', value: 10, met: true });
    expect(pace?.detail).toMatchObject({ runs: paces, spread: { min: 5, max: 12 } });
    expect(pace?.detail['details']).toEqual([{ round: 1 }, { round: 2 }, { round: 3 }]);
    expect(other).toMatchObject({ name: 'other', value: 2, met: false });
  });
});
