import { afterEach, beforeEach, describe, it } from 'vitest';
import type { ManualClock } from '../support/manual-clock.ts';

/** An adapter under test, on fresh and empty data. */
export interface Subject<Port> {
  readonly port: Port;
  /** Another client of the same data, like another process. */
  another(): Promise<Port>;
  /** The clock of the adapter. */
  readonly clock: ManualClock;
  /** Releases everything, including clients from `another`. */
  close(): Promise<void>;
}

/** Runs a port's whole contract against one adapter. A gap names a promise that it does not keep, and why. */
export type Contract<Port, Promised extends string> = (
  adapter: string,
  make: () => Promise<Subject<Port>>,
  gaps?: Readonly<Partial<Record<Promised, string>>>,
) => void;

/**
 * The promises of a port, each with its test, which gets its own subject. Called in two steps (`contractOf<Port>()(name, promises)`), so that the names of
 * the promises are inferred and a gap can only name one of them.
 */
export function contractOf<Port>() {
  return <Promised extends string>(
    portName: string,
    promises: Readonly<Record<Promised, (subject: Subject<Port>) => Promise<void>>>,
  ): Contract<Port, Promised> =>
    (adapter, make, gaps) => {
      describe(`${portName} contract: ${adapter}`, () => {
        let subject: Subject<Port>;
        beforeEach(async () => {
          subject = await make();
        });
        afterEach(() => subject.close());
        for (const name in promises) {
          const reason = gaps?.[name];
          if (reason === undefined) it(name, () => promises[name](subject));
          else it(`${name} (declared gap: ${reason})`, (test) => test.skip(reason));
        }
      });
    };
}
