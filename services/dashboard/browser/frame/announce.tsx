import { signal } from '@preact/signals';

/** The last announcement; screen readers read each new one when they are idle. */
const said = signal('');

/** Announces a finished action or an important change to screen readers. */
export function announce(text: string): void {
  said.value = text;
}

/** The one live region of the page. */
export function LiveRegion() {
  return (
    <div class="sr" role="status" aria-live="polite">
      {said.value}
    </div>
  );
}
