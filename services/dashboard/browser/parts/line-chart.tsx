import { useEffect, useRef, useState } from 'preact/hooks';
import { exactText } from '../time-text.ts';
import { percent } from '../words.ts';
import { percentScale, type Scale, timeTicks } from './ticks.ts';

interface Series {
  readonly name: string;
  /** Stands below the name at the end of the line. */
  readonly last: string;
  readonly values: readonly (number | null)[];
}

export interface Marker {
  /** Epoch ms. */
  readonly at: number;
  readonly letter: string;
  /** Until when it lasted, epoch ms, if it is a period. */
  readonly until?: number;
}

interface Props {
  /** A summary in words, for screen readers. */
  readonly label: string;
  /** Epoch ms, ascending. */
  readonly at: readonly number[];
  readonly series: readonly Series[];
  readonly markers: readonly Marker[];
}

const HEIGHT = 216;
const NARROW = 520;
/** The height of a name above a narrow chart. */
const NAME_HEIGHT = 16;

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly height: number;
  /** The upper edge of the letters of the markers. */
  readonly flags: number;
  readonly x: (at: number) => number;
  readonly y: (value: number) => number;
  readonly scale: Scale;
  readonly narrow: boolean;
}

/** Percentages over time, with named lines and marked events. Arrow keys and the pointer show the values of a point. Put the values in a table next to it. */
export function LineChart({ label, at, series, markers }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [shown, setShown] = useState<number | null>(null);
  useEffect(() => {
    const { current } = place;
    if (current === null) return;
    const resized = new ResizeObserver(() => setWidth(current.clientWidth));
    resized.observe(current);
    return () => resized.disconnect();
  }, []);
  const frame = frameOf(width, at, series);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    setShown((now) => Math.min(at.length - 1, Math.max(0, (now ?? at.length - 1) + step)));
  };
  const point = (event: PointerEvent): void => {
    const box = place.current?.getBoundingClientRect();
    if (box === undefined) return;
    const distances = at.map((each) => Math.abs(frame.x(each) - (event.clientX - box.left)));
    setShown(distances.indexOf(Math.min(...distances)));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls
    <div
      ref={place}
      class="chart-place"
      role="group"
      aria-label={`${label} Arrow keys show the values.`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move through the points
      tabIndex={0}
      onKeyDown={move}
      onPointerMove={point}
      onPointerLeave={() => setShown(null)}
      onBlur={() => setShown(null)}
    >
      {width > 0 && (
        <svg
          class="chart"
          width={width}
          height={frame.height}
          viewBox={`0 0 ${width} ${frame.height}`}
          aria-hidden="true"
        >
          <Axes frame={frame} at={at} />
          <Markers frame={frame} markers={markers} />
          {series.map((each, index) => (
            <path key={each.name} class={`s${index + 1}`} d={pathOf(frame, at, each.values)} />
          ))}
          <Ends frame={frame} at={at} series={series} />
          {shown !== null && <Crosshair frame={frame} at={at[shown] ?? 0} series={series} index={shown} />}
        </svg>
      )}
      <p class="readout" role="status">
        {shown !== null && readoutOf(at[shown] ?? 0, series, shown)}
      </p>
    </div>
  );
}

function frameOf(width: number, at: readonly number[], series: readonly Series[]): Frame {
  const narrow = width < NARROW;
  const values = series.flatMap((each) => each.values.filter((value) => value !== null));
  const scale = percentScale(values);
  // A narrow chart has its names above the markers, and grows by their height.
  const names = narrow ? series.length * NAME_HEIGHT + 2 : 0;
  const height = HEIGHT + names;
  const [left, right, top, bottom] = [38, width - (narrow ? 10 : 166), 26 + names, height - 26];
  const [from = 0, to = 1] = [at[0], at.at(-1)];
  return {
    left,
    right,
    top,
    bottom,
    height,
    flags: 2 + names,
    scale,
    narrow,
    x: (each) => left + ((each - from) / Math.max(to - from, 1)) * (right - left),
    y: (value) => bottom - ((value - scale.low) / (scale.high - scale.low)) * (bottom - top),
  };
}

function pathOf(frame: Frame, at: readonly number[], values: readonly (number | null)[]): string {
  const points = values.flatMap((value, index) => {
    const time = at[index];
    return value === null || time === undefined ? [] : [`${frame.x(time).toFixed(1)} ${frame.y(value).toFixed(1)}`];
  });
  return points.length === 0 ? '' : `M${points.join('L')}`;
}

function Axes({ frame, at }: { readonly frame: Frame; readonly at: readonly number[] }) {
  const { left, right, bottom, scale, narrow } = frame;
  const ticks = timeTicks(at[0] ?? 0, at.at(-1) ?? 1, narrow ? 4 : 7);
  return (
    <>
      {scale.ticks.map((value) => (
        <g key={value}>
          <line
            class={value === scale.low ? 'axis' : 'grid-line'}
            x1={left}
            x2={right}
            y1={frame.y(value)}
            y2={frame.y(value)}
          />
          <text x={left - 6} y={frame.y(value) + 4} text-anchor="end">
            {value}%
          </text>
        </g>
      ))}
      {ticks
        .filter((tick) => frame.x(tick.at) < right - 8 && frame.x(tick.at) > left + 8)
        .map((tick) => (
          <text key={tick.at} x={frame.x(tick.at)} y={bottom + 17} text-anchor="middle">
            {tick.text}
          </text>
        ))}
    </>
  );
}

function Markers({ frame, markers }: { readonly frame: Frame; readonly markers: readonly Marker[] }) {
  const { bottom, flags } = frame;
  const start = flags + 16;
  const letters = spread(
    markers.map(({ at }) => frame.x(at)),
    18,
    frame.right,
  );
  return (
    <>
      {markers.map(({ at, letter, until }, index) => {
        const x = frame.x(at);
        const letterX = letters[index] ?? x;
        return (
          <g key={letter}>
            {until !== undefined && (
              <rect class="held" x={x} y={start} width={Math.max(frame.x(until) - x, 1)} height={bottom - start} />
            )}
            <line class="event" x1={x} x2={x} y1={start} y2={bottom} />
            <rect class="flag" x={letterX - 8} y={flags} width="16" height="16" rx="3" />
            <text class="flag-text" x={letterX} y={flags + 12}>
              {letter}
            </text>
          </g>
        );
      })}
    </>
  );
}

/** The last point of each line, its name and its value. */
function Ends({ frame, at, series }: Pick<Props, 'at' | 'series'> & { readonly frame: Frame }) {
  const { narrow, left } = frame;
  const ends = series.map((each, index) => ({ ...each, index, y: frame.y(each.values.at(-1) ?? 0) }));
  const apart = spread(
    ends.map(({ y }) => y),
    32,
    HEIGHT - 40,
  );
  return (
    <>
      {ends.map(({ name, last, index, y }) => {
        const x = frame.x(at.at(-1) ?? 0);
        const labelY = narrow ? 12 + index * NAME_HEIGHT : (apart[index] ?? y);
        return (
          <g key={name}>
            <circle class={`p${index + 1}`} cx={x} cy={y} r="3.5" />
            {narrow && <line class={`s${index + 1}`} x1={left} x2={left + 18} y1={labelY - 4} y2={labelY - 4} />}
            <text class="lab" x={narrow ? left + 24 : x + 12} y={labelY}>
              {name}
              {narrow && <tspan class="sub"> {last}</tspan>}
            </text>
            {!narrow && (
              <text x={x + 12} y={labelY + 14}>
                {last}
              </text>
            )}
          </g>
        );
      })}
    </>
  );
}

/** Moves positions apart until neighbours are `least` apart and the last is at most at `end`. */
function spread(positions: readonly number[], least: number, end: number): readonly number[] {
  const order = positions.map((position, index) => ({ position, index })).sort((a, b) => a.position - b.position);
  const moved = [...positions];
  let before = Number.NEGATIVE_INFINITY;
  for (const { position, index } of order) {
    before = Math.max(position, before + least);
    moved[index] = before;
  }
  let after = end + least;
  for (const { index } of order.reverse()) {
    after = Math.min(moved[index] ?? after, after - least);
    moved[index] = after;
  }
  return moved;
}

interface CrosshairProps {
  readonly frame: Frame;
  readonly at: number;
  readonly series: readonly Series[];
  readonly index: number;
}

function Crosshair({ frame, at, series, index }: CrosshairProps) {
  const x = frame.x(at);
  return (
    <>
      <line class="cross" x1={x} x2={x} y1={frame.flags + 16} y2={frame.bottom} />
      {series.map(({ name, values }, line) => {
        const value = values[index] ?? null;
        return value === null ? null : <circle key={name} class={`p${line + 1}`} cx={x} cy={frame.y(value)} r="4" />;
      })}
    </>
  );
}

function readoutOf(at: number, series: readonly Series[], index: number): string {
  const values = series.map(({ name, values }) => `${name} ${percent(values[index] ?? null)}`);
  return `${exactText(at)}: ${values.join(', ')}`;
}
