import stringWidth from 'string-width';

/**
 * Wraps a sentence at spaces; following lines are indented by `indent` cells. A word that is longer than the width stays whole, so that ids,
 * paths and commands can be copied. `width` `null` (not a terminal): one line.
 */
export function wrap(text: string, width: number | null, indent = 0): string[] {
  return hang('', text, width, indent);
}

/** A command with its options and selectors, as it occurs in a sentence. */
const COMMAND = /\brollcall [a-z-]+(?: (?:-\S+|\S*[:/]\S*|\d{12}))*/g;
const GLUE = '\u0000';

/** The words of a sentence. A command counts as one, so that it can be copied from one line. */
function wordsIn(text: string): string[] {
  const glued = text.replaceAll(COMMAND, (command) => command.replaceAll(' ', GLUE));
  return glued.split(' ').map((word) => word.replaceAll(GLUE, ' '));
}

/**
 * Text after a prefix (a symbol, a label or other columns), wrapped under its own start, or under `indent` if that is given.
 * `prefix` may contain colours.
 */
export function hang(prefix: string, text: string, width: number | null, indent = stringWidth(prefix)): string[] {
  if (width === null) return [`${prefix}${text}`.trimEnd()];
  const margin = ' '.repeat(indent);
  const lines: string[] = [];
  let line = prefix;
  let used = stringWidth(prefix);
  let empty = true;
  for (const word of wordsIn(text)) {
    const cells = stringWidth(word);
    const gap = empty ? 0 : 1;
    if (!empty && used + gap + cells > width) {
      lines.push(line.trimEnd());
      line = margin + word;
      used = indent + cells;
      continue;
    }
    line += ' '.repeat(gap) + word;
    used += gap + cells;
    empty = false;
  }
  return [...lines, line.trimEnd()];
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Shortens text to `width` terminal cells, with `…` at the end. */
export function shorten(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  return `${startOf(segmentsOf(text), width - 1)}…`;
}

/** Shortens a name or a path to `width` terminal cells in the middle, because both of its ends tell it apart: `prod-che…-002`. */
export function shortenMiddle(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  const segments = segmentsOf(text);
  const tail = startOf(segments.toReversed(), Math.floor((width - 1) / 3), true);
  return `${startOf(segments, width - 1 - stringWidth(tail))}…${tail}`;
}

function segmentsOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** As many segments as fit into `width`; `reversed`: the segments are in reverse order. */
function startOf(segments: readonly string[], width: number, reversed = false): string {
  let kept = '';
  for (const segment of segments) {
    const next = reversed ? segment + kept : kept + segment;
    if (stringWidth(next) > width) break;
    kept = next;
  }
  return kept;
}
