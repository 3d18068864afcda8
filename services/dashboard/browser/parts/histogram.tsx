import { exactText, timeText } from '../time-text.ts';
import { count, number } from '../words.ts';
import { now } from './time.tsx';

interface Bar {
  readonly at: string;
  readonly entries: number;
}

interface Props {
  /** Oldest first. */
  readonly bars: readonly Bar[];
  readonly intervalMs: number;
  /** What is counted: `entry` and `entries`. */
  readonly one: string;
  readonly many: string;
}

const HEIGHT = 84;
const BASE = 66;
const TOP = 6;
const LEFT = 34;

/** Counts over time as bars. The axis starts at 0; the highest bar is named. */
export function Histogram(props: Props) {
  return (
    <figure class="hist">
      <Drawing {...props} width={810} class="wide" labels={6} />
      <Drawing {...props} width={340} class="narrow" labels={3} />
    </figure>
  );
}

/** The next round number at or above `n`, even if it is divided by 2. */
function roundUp(n: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(1, n)));
  return [2, 4, 6, 10].map((step) => step * unit).find((each) => each >= n) ?? 10 * unit;
}

interface DrawingProps extends Props {
  readonly width: number;
  readonly class: string;
  /** At most this many times below the axis. */
  readonly labels: number;
}

function Drawing({ bars, intervalMs, one, many, width, labels, class: shown }: DrawingProps) {
  const most = bars.reduce<Bar | null>((best, bar) => (bar.entries > (best?.entries ?? 0) ? bar : best), null);
  const max = roundUp(Math.max(2, most?.entries ?? 0));
  const step = (width - LEFT) / Math.max(1, bars.length);
  const y = (entries: number): number => BASE - (entries / max) * (BASE - TOP);
  const text = (bar: Bar): string => `${count(bar.entries, one, many)} at ${timeText(Date.parse(bar.at), now.value)}`;
  const label = most === null ? `No ${many} in this period` : `${many} over time, most: ${text(most)}`;
  const every = Math.max(1, Math.ceil(bars.length / labels));
  const highest = most === null ? -1 : bars.indexOf(most);
  const nameX = LEFT + highest * step;
  // Beside the bar where there is room; a wide bar has its name above it.
  const after = nameX + step + 4;
  const name = nameX > width / 2 ? { x: nameX - 4, anchor: 'end' } : { x: after, anchor: 'start' };
  const { x, anchor } = nameX <= width / 2 && after > width * 0.6 ? { x: width - 4, anchor: 'end' } : name;
  return (
    <svg class={`chart ${shown}`} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
      <line class="axis" x1={LEFT} x2={width} y1={BASE} y2={BASE} />
      {[0, max / 2, max].map((value) => (
        <g key={value}>
          {value > 0 && <line class="grid-line" x1={LEFT} x2={width} y1={y(value)} y2={y(value)} />}
          <text x={LEFT - 6} y={y(value) + 4} text-anchor="end">
            {number(value)}
          </text>
        </g>
      ))}
      {bars.map((bar, index) => (
        <rect
          key={bar.at}
          class="bar"
          x={LEFT + index * step + 1}
          y={bar.entries === 0 ? BASE : Math.min(BASE - 1.5, y(bar.entries))}
          width={Math.max(1, step - 2)}
          height={bar.entries === 0 ? 0 : Math.max(1.5, BASE - y(bar.entries))}
        >
          <title>{`${count(bar.entries, one, many)}, ${exactText(Date.parse(bar.at))}`}</title>
        </rect>
      ))}
      {bars.map((bar, index) =>
        index % every === 0 && width - LEFT - index * step > 60 ? (
          <text key={bar.at} x={LEFT + index * step} y={HEIGHT - 4}>
            {axisText(bar.at, intervalMs)}
          </text>
        ) : null,
      )}
      {most !== null && (
        <text class="lab" x={x} y={16} text-anchor={anchor}>
          {text(most)}
        </text>
      )}
    </svg>
  );
}

const DAY_MS = 86_400_000;

/** Hours of one day, or days. */
function axisText(at: string, intervalMs: number): string {
  const full = timeText(Date.parse(at), Number.NaN);
  const [day = '', clock = ''] = full.split(', ');
  return intervalMs >= DAY_MS / 4 ? day : clock;
}
