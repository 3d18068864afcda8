import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';

export interface Line {
  readonly label: string;
  /** A custom property of the style sheet. */
  readonly color: string;
  /** Dashes, so that lines differ by more than colour. */
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

/** Lines over time. Told to screen readers by its label; the numbers belong into a table beside it. */
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
    // The colours are the theme's.
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

function optionsOf(place: HTMLElement, lines: readonly Line[], unit: string, max: number | undefined): UPlot.Options {
  const styles = getComputedStyle(place);
  const color = (name: string): string => styles.getPropertyValue(name).trim();
  const grid = { stroke: color('--chart-grid'), width: 1 };
  const axis = { stroke: color('--pico-muted-color'), grid, ticks: grid, font: `12px ${styles.fontFamily}` };
  return {
    width: Math.max(place.clientWidth, 200),
    height: HEIGHT,
    scales: { y: { range: (_plot, _low, high) => [0, max ?? Math.max(high * 1.1, 1)] } },
    axes: [axis, { ...axis, values: (_plot, splits) => splits.map((value) => `${value}${unit}`), size: 60 }],
    series: [
      {},
      ...lines.map(({ label, color: name, dash }) => ({
        label,
        stroke: color(name),
        width: 2,
        spanGaps: true,
        points: { show: false },
        value: (_plot: UPlot, value: number | null) => (value === null ? '–' : `${Math.floor(value * 10) / 10}${unit}`),
        ...(dash === undefined ? {} : { dash }),
      })),
    ],
  };
}
