import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Banners } from '../frame/banner.tsx';
import { useWhoAmI } from '../frame/source.ts';

interface HeadingProps {
  /** The title of the browser's tab. */
  readonly title: string;
  /** The heading. */
  readonly children: ComponentChildren;
  /** Beside the heading: pills and badges. */
  readonly beside?: ComponentChildren;
  /** One line below the heading. */
  readonly sub?: ComponentChildren;
  /** Above the heading: the way back to the list. */
  readonly crumb?: ComponentChildren;
  /** The commands of the page. */
  readonly actions?: ComponentChildren;
}

/** The head of a page, and the banners that every page shows. The heading takes the focus after a navigation, so that screen readers announce the new page. */
export function Heading({ title, children, beside, sub, crumb, actions }: HeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const organization = useWhoAmI()?.organization?.name ?? null;
  useEffect(() => {
    document.title = [title, organization, 'Rollcall'].filter((part) => part !== null).join(' · ');
  }, [title, organization]);
  useEffect(() => {
    if (Heading.navigated) heading.current?.focus({ preventScroll: false });
    Heading.navigated = true;
  }, [title]);
  return (
    <>
      <div class="head">
        <div>
          {crumb !== undefined && <p class="crumb">{crumb}</p>}
          <div class="title">
            <h1 ref={heading} tabIndex={-1}>
              {children}
            </h1>
            {beside}
          </div>
          {sub !== undefined && <p>{sub}</p>}
        </div>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </div>
      <Banners />
    </>
  );
}
/** `false` until a page is shown. On the first load, the browser itself sets the focus. */
Heading.navigated = false;
