/** Thrown instead of asking AWS for more: what is left of the time is needed to save what was read. */
export class OutOfTime extends Error {
  override readonly name: string = 'OutOfTime';
}
