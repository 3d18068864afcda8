/** Scrolls a row of tabs to the one that takes the focus: a browser leaves one that is partly visible where it is. */
export function revealFocus({ target }: FocusEvent): void {
  if (target instanceof Element) target.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}
