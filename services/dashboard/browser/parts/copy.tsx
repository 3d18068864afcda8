import { announce } from '../frame/announce.tsx';
import { Icon } from './icon.tsx';

/** Copies text, also where the page is not in a secure context and so has no clipboard. */
export async function copy(text: string, what: string): Promise<void> {
  if (navigator.clipboard === undefined) copyBySelection(text);
  else await navigator.clipboard.writeText(text);
  announce(`${what} copied.`);
}

function copyBySelection(text: string): void {
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}

interface CopyProps {
  readonly text: string;
  /** What the text is: `Account id`. */
  readonly what: string;
}

/** A small button beside a text that copies it. */
export function Copy({ text, what }: CopyProps) {
  const label = `Copy ${what.charAt(0).toLowerCase()}${what.slice(1)}`;
  return (
    <button type="button" class="icon-btn inline" aria-label={label} title={label} onClick={() => copy(text, what)}>
      <Icon name="copy" />
    </button>
  );
}
