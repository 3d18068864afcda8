/** Scrolls a row of tabs to the tab that takes the focus, because browsers do not scroll to a tab that is partly visible. */
export function revealFocus({ target }: FocusEvent): void {
  if (target instanceof Element) target.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}
