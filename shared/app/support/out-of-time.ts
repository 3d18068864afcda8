/** Thrown instead of calling AWS, because the remaining time is needed to save the responses. */
export class OutOfTime extends Error {
  override readonly name: string = 'OutOfTime';
}
