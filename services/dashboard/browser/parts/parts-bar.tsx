/** One part of a bar. */
interface Part {
  /** The tone of its colour; `none`: the ground, for what has not begun. */
  readonly tone: 'compliant' | 'progress' | 'waiting' | 'attention' | 'quiet' | 'none';
  readonly value: number;
  /** `3 need attention` */
  readonly text: string;
}

const WIDTH = 1_000;
const GAP = 3;
/** A part that is not zero can be seen. */
const LEAST = 7;

/** Parts of a whole as a bar, whose widths add up. The numbers stand beside it. */
export function PartsBar({ parts }: { readonly parts: readonly Part[] }) {
  const shown = parts.filter(({ value }) => value > 0);
  const total = shown.reduce((sum, { value }) => sum + value, 0);
  const room = WIDTH - GAP * Math.max(0, shown.length - 1);
  const wide = shown.map(({ value }) => Math.max(LEAST, (value / Math.max(1, total)) * room));
  const scale = room / Math.max(1, wide.reduce((sum, each) => sum + each, 0));
  let x = 0;
  return (
    <svg
      class="prop"
      viewBox={`0 0 ${WIDTH} 8`}
      preserveAspectRatio="none"
      role="img"
      aria-label={shown.map(({ text }) => text).join(', ') || 'nothing'}
    >
      {shown.length === 0 && <rect class="f-none" x="0" width={WIDTH} height="8" />}
      {shown.map(({ tone, text }, index) => {
        const width = (wide[index] ?? 0) * scale;
        const at = x;
        x += width + GAP;
        return <rect key={text} class={`f-${tone}`} x={at} width={width} height="8" />;
      })}
    </svg>
  );
}
