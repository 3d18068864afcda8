import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Resource } from '../resource.ts';
import { ago, local, utc } from '../words.ts';
import { Button } from './form.tsx';

/** The current time, epoch ms; updated regularly, so that relative times stay correct. */
const now = signal(Date.now());
const TICK_MS = 15_000;

export function keepTime(): void {
  setInterval(() => {
    now.value = Date.now();
  }, TICK_MS);
}

/** A time in the reader's time zone; its tooltip shows UTC. */
export function Time({
  iso,
  relative = false,
  brief = false,
}: {
  readonly iso: string | null | undefined;
  readonly relative?: boolean;
  /** Omits the seconds. */
  readonly brief?: boolean;
}) {
  if (iso === null || iso === undefined) return <span>–</span>;
  return (
    <time dateTime={iso} title={`${utc(iso)}${relative ? ` (${local(iso)} here)` : ''}`}>
      {relative ? ago(iso, Math.max(now.value, Date.now())) : local(iso, brief)}
    </time>
  );
}

const INSTANT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;
/** The text may come from an operator or AWS and contain an impossible time such as `2026-02-40T00:00:00Z`. */
const isTime = (part: string): boolean => INSTANT.test(part) && !Number.isNaN(Date.parse(part));

/** A sentence whose times are shown in the reader's time zone. */
export function Sentence({ text }: { readonly text: string }) {
  return (
    <>
      {text.split(INSTANT).map((part, index) => (isTime(part) ? <Time key={`${index} ${part}`} iso={part} /> : part))}
    </>
  );
}

/** A status: the word, and a mark that differs in shape as well as in colour. */
export function StatusMark({ status, message = null }: { readonly status: string; readonly message?: string | null }) {
  return (
    <span class="status" data-status={status}>
      <span class="mark" aria-hidden="true" />
      <span>{status}</span>
      {message !== null && <small class="muted"> {message}</small>}
    </span>
  );
}

/** The heading of the page. It takes the focus after a navigation, so that screen readers announce the new page. */
export function Heading({ children, title }: { readonly children: ComponentChildren; readonly title: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Rollcall`;
    if (Heading.navigated) heading.current?.focus({ preventScroll: false });
    Heading.navigated = true;
  }, [title]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
/** `false` until a page is shown. On the first load, the browser itself sets the focus. */
Heading.navigated = false;

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
        <div class="problem" role="alert">
          <p>
            <strong>{what} could not be loaded.</strong> {error.message}
          </p>
          <Button onClick={reload}>Try again</Button>
        </div>
      )}
      {data === null && error === null && (
        <p aria-busy="true" role="status">
          Loading {what.toLowerCase()}…
        </p>
      )}
      {data !== null && children(data)}
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
