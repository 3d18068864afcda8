import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Resource } from '../resource.ts';
import { ago, local, reasonText, utc } from '../words.ts';

/** Moves on now and then, so that what is told relative to it stays true. */
const now = signal(Date.now());
const TICK_MS = 15_000;

export function keepTime(): void {
  setInterval(() => {
    now.value = Date.now();
  }, TICK_MS);
}

/** A time in the reader's zone, with UTC when hovered. */
export function Time({
  iso,
  relative = false,
  brief = false,
}: {
  readonly iso: string | null | undefined;
  readonly relative?: boolean;
  /** Without the seconds. */
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
/** There are those that look like one and are none, `2026-02-40T00:00:00Z`: part of the text may be an operator's or AWS's. */
const isTime = (part: string): boolean => INSTANT.test(part) && !Number.isNaN(Date.parse(part));

/** A sentence, with the times in it as the reader's. */
export function Sentence({ text }: { readonly text: string }) {
  return (
    <>
      {text.split(INSTANT).map((part, index) => (isTime(part) ? <Time key={`${index} ${part}`} iso={part} /> : part))}
    </>
  );
}

/** A verdict: the word, and a mark whose shape differs as well as its colour. */
export function Verdict({ verdict, reason = null }: { readonly verdict: string; readonly reason?: string | null }) {
  return (
    <span class="verdict" data-verdict={verdict}>
      <span class="mark" aria-hidden="true" />
      <span>{verdict}</span>
      {reason !== null && <small class="muted"> {reasonText(reason)}</small>}
    </span>
  );
}

/** The page's heading: takes the focus after a navigation, so that screen readers tell where one is. */
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
/** Not at the first load: there the focus belongs to the browser. */
Heading.navigated = false;

/** What came of a request: the loading, error and empty states of a part of a page. */
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
            <strong>{what} could not be read.</strong> {error.message}
          </p>
          <button type="button" class="secondary" onClick={reload}>
            Try again
          </button>
        </div>
      )}
      {data === null && error === null && (
        <p aria-busy="true" role="status">
          Reading {what.toLowerCase()}…
        </p>
      )}
      {data !== null && children(data)}
    </>
  );
}

/** What went wrong; nothing if nothing did. */
export function Problem({ text }: { readonly text: string | null }) {
  return text === null ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

/** A term of a list of facts with its description; nothing without a description. */
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

/** A table that scrolls by itself where the screen is narrow, also by keyboard. */
export function Scrolling({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scrolling" aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
