import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';

interface Line {
  readonly label: string;
  /** A custom property of the style sheet. */
  readonly color: string;
  /** A dash pattern, so that lines differ by more than colour. */
  readonly dash?: number[];
  readonly values: readonly (number | null)[];
}

interface Props {
  readonly label: string;
  /** Epoch ms, ascending. */
  readonly at: readonly number[];
  readonly lines: readonly Line[];
  readonly unit: string;
  readonly max?: number;
}

const HEIGHT = 220;
const FEW = 20;
const DAY_S = 86_400;
/** In the reader's language and time zone. */
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const PRECISE = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });

/** Lines over time. Screen readers read its label; put the values in a table next to it. */
export function Chart({ label, at, lines, unit, max }: Props) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { current } = place;
    if (current === null) return;
    let plot: UPlot | null = null;
    const draw = (): void => {
      plot?.destroy();
      plot = new UPlot(optionsOf(current, lines, unit, max), dataOf(at, lines), current);
    };
    draw();
    const resized = new ResizeObserver(() => plot?.setSize({ width: current.clientWidth, height: HEIGHT }));
    resized.observe(current);
    // The chart is an image that keeps its colours, so it is drawn again when the theme changes.
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    scheme.addEventListener('change', draw);
    return () => {
      resized.disconnect();
      themed.disconnect();
      scheme.removeEventListener('change', draw);
      plot?.destroy();
    };
  }, [at, lines, unit, max]);
  return <div ref={place} class="chart" role="img" aria-label={label} />;
}

function dataOf(at: readonly number[], lines: readonly Line[]): UPlot.AlignedData {
  return [at.map((ms) => ms / 1_000), ...lines.map(({ values }) => [...values])];
}

/** Labels of the time axis: the date if ticks are a day or more apart, otherwise the time, plus the date at the first tick of a day. */
function timesOf(_plot: UPlot, splits: number[], _axis: number, _space: number, incr: number): string[] {
  return splits.map((seconds, index) => {
    const before = splits[index - 1];
    const day = DAY.format(seconds * 1_000);
    if (incr >= DAY_S) return day;
    const clock = (incr < 60 ? PRECISE : CLOCK).format(seconds * 1_000);
    return before !== undefined && DAY.format(before * 1_000) === day ? clock : `${clock}\n${day}`;
  });
}

function optionsOf(place: HTMLElement, lines: readonly Line[], unit: string, max: number | undefined): UPlot.Options {
  const styles = getComputedStyle(place);
  const color = (name: string): string => styles.getPropertyValue(name).trim();
  const grid = { stroke: color('--chart-grid'), width: 1 };
  // A line between few points could be too short to see, so the points are drawn too.
  const sparse = lines.every(({ values }) => values.filter((value) => value !== null).length <= FEW);
  const format = (value: number): string => `${Math.floor(value * 10) / 10}${unit}`;
  const axis = { stroke: color('--pico-muted-color'), grid, ticks: grid, font: `12px ${styles.fontFamily}` };
  return {
    width: Math.max(place.clientWidth, 200),
    height: HEIGHT,
    scales: { y: { range: (_plot, _low, high) => [0, max ?? Math.max(high * 1.1, 1)] } },
    axes: [
      { ...axis, values: timesOf, space: 90 },
      { ...axis, values: (_plot, splits) => splits.map((value) => `${value}${unit}`), size: 60 },
    ],
    series: [
      { label: 'Time', value: (_plot, seconds) => (seconds === null ? 'latest' : MOMENT.format(seconds * 1_000)) },
      ...lines.map(({ label, color: name, dash, values }) => ({
        label,
        stroke: color(name),
        width: 2,
        spanGaps: true,
        points: { show: sparse, size: 7 },
        // Without a pointer over the chart, the legend shows the latest value.
        value: (_plot: UPlot, value: number | null, _series: number, at: number | null) => {
          const shown = at === null ? values.findLast((each) => each !== null) : value;
          return shown === null || shown === undefined ? '–' : format(shown);
        },
        ...(dash === undefined ? {} : { dash }),
      })),
    ],
  };
}
