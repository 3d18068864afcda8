/** How a history ended. */
export interface Verdict {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** Hash of its behaviour. */
  readonly behaviour: string;
  /** How often it reached each rare state; those that it did not reach are absent. */
  readonly rare: Readonly<Record<string, number>>;
  readonly calls: number;
  readonly entries: number;
  readonly deaths: number;
  readonly virtualMs: number;
}
