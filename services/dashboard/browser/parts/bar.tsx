/** One part of a bar: its colour by the name of a tone, and its size. */
interface Part {
  readonly tone: string;
  readonly size: number;
}

interface BarProps {
  readonly parts: readonly Part[];
  /** What the parts add up to; default: their sum. */
  readonly total?: number;
  /** Says the numbers in words. */
  readonly label: string;
  readonly thin?: boolean;
}

const WIDTH = 1_000;
const GAP = 3;
/** The smallest width of a part that is not zero, so that one account of 10,000 is still visible. */
const LEAST = 7;

/** Parts of a whole, side by side. Drawn with attributes, because the content security policy forbids inline styles. */
export function Bar({ parts, total, label, thin = false }: BarProps) {
  const shown = parts.filter(({ size }) => size > 0);
  const sum = Math.max(total ?? shown.reduce((all, { size }) => all + size, 0), 1);
  const room = WIDTH - GAP * Math.max(0, shown.length - 1);
  const wanted = shown.map(({ size }) => Math.max((size / sum) * room, LEAST));
  // What the small parts take beyond their share, the largest gives up.
  const excess = wanted.reduce((all, width) => all + width, 0) - room;
  const largest = wanted.indexOf(Math.max(...wanted));
  const widths = wanted.map((width, index) => (index === largest && excess > 0 ? width - excess : width));
  return (
    <svg
      class={thin ? 'prop thin' : 'prop'}
      viewBox={`0 0 ${WIDTH} 8`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {shown.map(({ tone }, index) => {
        const x = widths.slice(0, index).reduce((all, width) => all + width + GAP, 0);
        return (
          <rect key={tone} class={`f-${tone}`} x={x.toFixed(1)} width={(widths[index] ?? 0).toFixed(1)} height="8" />
        );
      })}
    </svg>
  );
}
