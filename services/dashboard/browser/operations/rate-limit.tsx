import { useEffect, useRef, useState } from 'preact/hooks';
import { Bar } from '../parts/bar.tsx';
import { timeTicks } from '../parts/ticks.ts';
import type { Limiter } from '../types.ts';
import { count, number } from '../words.ts';

type Operation = Limiter['operations'][number];

/** Calls per second as used of limit, over the last hour and by operation. */
export function RateLimit({ limiter }: { readonly limiter: Limiter }) {
  const { operations, used } = limiter;
  const [all, setAll] = useState(false);
  // The busiest first; of equally busy ones, that with the lowest limit.
  const rows = operations.toSorted((a, b) => share(b) - share(a) || a.rate - b.rate);
  const shown = all ? rows : rows.slice(0, ROWS);
  return (
    <>
      {used !== null && used.history.length > 1 && <UseChart limiter={limiter} history={used.history} />}
      {rows.length === 0 ? (
        <p class="message muted">No call was made recently.</p>
      ) : (
        <table class="grid">
          <colgroup>
            <col />
            <col class="w-use" />
            <col class="w-bar drop-s" />
            <col class="w-num drop-s" />
          </colgroup>
          <thead>
            <tr>
              <th scope="col">Operation</th>
              <th scope="col" class="num">
                Used of limit
              </th>
              <th scope="col" class="drop-s">
                <span class="sr">Share</span>
              </th>
              <th scope="col" class="num drop-s">
                Throttled
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <Row key={row.operation} row={row} />
            ))}
          </tbody>
        </table>
      )}
      {shown.length < rows.length && (
        <button type="button" class="table-more" onClick={() => setAll(true)}>
          Show {count(rows.length - shown.length, 'more operation')}
        </button>
      )}
    </>
  );
}

/** Operations that are shown at first. */
const ROWS = 8;

const share = ({ used, rate }: Operation): number => (used ?? 0) / rate;

/** A use of the limit from which on it may slow work down. */
const NEARLY = 0.75;

function Row({ row }: { readonly row: Operation }) {
  const { operation, used, rate, throttled } = row;
  const text = `${used === null ? '–' : number(used)} of ${number(rate)}/s`;
  return (
    <tr>
      <td class="mono small wrap-s" title={operation}>
        {operation}
      </td>
      <td class="num">{text}</td>
      <td class="drop-s">
        <Bar
          thin
          label={text}
          total={rate}
          parts={[{ tone: share(row) >= NEARLY ? 'drifted' : 'accent', size: Math.min(used ?? 0, rate) }]}
        />
      </td>
      <td class={`num drop-s ${throttled === 0 ? 'muted' : 'strong'}`}>
        {throttled === null ? '–' : number(throttled)}
      </td>
    </tr>
  );
}

const HEIGHT = 132;

interface UseChartProps {
  readonly limiter: Limiter;
  readonly history: NonNullable<Limiter['used']>['history'];
}

function UseChart({ limiter, history }: UseChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const { current } = place;
    if (current === null) return;
    const resized = new ResizeObserver(() => setWidth(current.clientWidth));
    resized.observe(current);
    return () => resized.disconnect();
  }, []);
  const { total } = limiter;
  const last = history.at(-1)?.used ?? 0;
  const limit = total === null ? '' : `, limit ${number(total)}`;
  return (
    <div class="body">
      <div ref={place} role="img" aria-label={`Calls per second in the last hour: now ${number(last)}${limit}`}>
        {width > 0 && <Plot width={width} history={history} limit={total} />}
      </div>
    </div>
  );
}

interface PlotProps {
  readonly width: number;
  readonly history: UseChartProps['history'];
  readonly limit: number | null;
}

function Plot({ width, history, limit }: PlotProps) {
  const [left, right, top, bottom] = [32, width - 90, 8, HEIGHT - 20];
  const most = Math.max(...history.map(({ used }) => used), limit ?? 0, 1);
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((each) => most / each <= 3) ?? 1_000;
  const high = Math.ceil(most / step) * step;
  const times = history.map(({ at }) => Date.parse(at));
  const [from = 0, to = 1] = [times[0], times.at(-1)];
  const x = (at: number): number => left + ((at - from) / Math.max(to - from, 1)) * (right - left);
  const y = (value: number): number => bottom - (value / high) * (bottom - top);
  const points = history.map(({ used }, index) => `${x(times[index] ?? 0).toFixed(1)} ${y(used).toFixed(1)}`).join('L');
  const last = history.at(-1)?.used ?? 0;
  const usedY = limit !== null && Math.abs(y(last) - y(limit)) < 16 ? y(limit) + 16 : y(last);
  return (
    <svg class="chart" width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} aria-hidden="true">
      {Array.from({ length: high / step + 1 }, (_, index) => index * step).map((value) => (
        <g key={value}>
          <line class={value === 0 ? 'axis' : 'grid-line'} x1={left} x2={right} y1={y(value)} y2={y(value)} />
          <text x={left - 6} y={y(value) + 4} text-anchor="end">
            {number(value)}
          </text>
        </g>
      ))}
      <path class="area1" d={`M${left} ${bottom}L${points}L${right} ${bottom}z`} />
      <path class="s1" d={`M${points}`} />
      {limit !== null && (
        <>
          <line class="s2" x1={left} x2={right} y1={y(limit)} y2={y(limit)} />
          <text class="lab" x={right + 8} y={y(limit) + 4}>
            Limit {number(limit)}
          </text>
        </>
      )}
      <text class="lab" x={right + 8} y={usedY + 4}>
        Used {number(last)}
      </text>
      {timeTicks(from, to, 4).map((tick) => (
        <text key={tick.at} x={x(tick.at)} y={HEIGHT - 4} text-anchor="middle">
          {tick.text}
        </text>
      ))}
    </svg>
  );
}
