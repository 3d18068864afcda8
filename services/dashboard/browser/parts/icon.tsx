import { looksOf, type MarkName, type Tone } from '../status-looks.ts';

/** A status mark, 14 pixels. Always put the word after it. */
export function Mark({ name, class: more = '' }: { readonly name: string; readonly class?: string }) {
  return (
    <svg class={`mark ${more}`} aria-hidden="true">
      <use href={`#m-${name}`} />
    </svg>
  );
}

type IconName =
  | 'overview'
  | 'accounts'
  | 'runs'
  | 'audit'
  | 'policy'
  | 'ops'
  | 'more'
  | 'search'
  | 'theme'
  | 'copy'
  | 'out'
  | 'down'
  | 'x'
  | 'plus'
  | 'chev'
  | 'right'
  | 'stop'
  | 'cols';

/** An icon, 16 pixels. It is decoration: the control that holds it has a text or a label. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="ico" aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  );
}

interface StatusMarkProps {
  /** A status word. */
  readonly status: string;
  /** The reason, in small type after the word. */
  readonly message?: string | null;
}

/** A status: its mark and the word. Only Needs attention is loud, and Compliant is quiet. */
export function StatusMark({ status, message = null }: StatusMarkProps) {
  const { mark, tone } = looksOf(status);
  const voice = status === 'Needs attention' ? 'loud' : tone === 'quiet' || tone === 'compliant' ? 'calm' : '';
  return (
    <span class={`st c-${tone} ${voice}`} data-status={status}>
      <Mark name={mark} />
      <span>{status}</span>
      {message !== null && <small class="muted">{message}</small>}
    </span>
  );
}

/** A short state on a coloured ground, such as `Running` at the head of a panel. */
export function Pill({ tone, mark, text }: { readonly tone: Tone; readonly mark: MarkName; readonly text: string }) {
  return (
    <span class={`pill c-${tone}`}>
      <Mark name={mark} />
      {text}
    </span>
  );
}
