import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Resource } from '../resource.ts';
import { Button } from './form.tsx';
import { Mark } from './icon.tsx';

/** A part of a page that needs data: shows that it is loading, the error, or the data. */
export function Loaded<T>({
  resource,
  what,
  children,
}: {
  readonly resource: Resource<T>;
  readonly what: string;
  readonly children: (data: T) => ComponentChildren;
}) {
  const { data, error, reload } = resource;
  return (
    <>
      {error !== null && (
        <div class="message" role="alert">
          <p class="st c-attention">
            <Mark name="attention" />
            <b class="strong">{what} could not be loaded.</b>
          </p>
          <p>{error.message}</p>
          <Button onClick={reload}>Try again</Button>
        </div>
      )}
      {data === null && error === null && <Loading what={what} />}
      {data !== null && children(data)}
    </>
  );
}

/** A load that takes less than this shows no placeholder, ms. */
const PATIENCE_MS = 300;

function Loading({ what }: { readonly what: string }) {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="loading" aria-busy="true">
      <p class={long ? 'muted' : 'sr'} role="status">
        Loading {what.charAt(0).toLowerCase() + what.slice(1)}…
      </p>
      {long && <Bones rows={4} />}
    </div>
  );
}

/** Placeholders for rows of a table. */
function Bones({ rows }: { readonly rows: number }) {
  return (
    <>
      {Array.from({ length: rows }, (_, row) => (
        <svg key={row} class="bone" viewBox="0 0 600 30" preserveAspectRatio="none" aria-hidden="true">
          <rect x="0" y="10" width={170 - (row % 3) * 20} height="10" rx="3" />
          <rect x="240" y="10" width="90" height="10" rx="3" />
          <rect x="360" y="10" width={110 + (row % 2) * 40} height="10" rx="3" />
        </svg>
      ))}
    </>
  );
}

/** An error message, if there is one. */
export function Problem({ text }: { readonly text: string | null }) {
  return text === null ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

/** A term and its description in a list of facts. Without a description it shows nothing. */
export function Fact({ term, children }: { readonly term: string; readonly children: ComponentChildren }) {
  return children === null || children === undefined || children === false ? null : (
    <>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** Scrolls its content sideways on a narrow screen, also by keyboard. */
export function Scrolling({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
    <section class="scrolling" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
