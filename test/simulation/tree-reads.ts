import type { Request } from './engine-cloud.ts';
import type { Process } from './process.ts';

const MINUTE = 60_000;

/** What a call for a configuration is planned on, and how old it may be when the call acts, ms. */
const READS = [
  // Read again for each call, which is prepared within a minute and sent within the minute that its claims last.
  {
    ...{ what: 'configurations', of: 'aco-automation:ListOrganizationEnrollmentConfigurations' },
    maxAgeMs: () => 2 * MINUTE,
  },
  // One survey serves all calls that are planned in the minute after it; the rest is the time that the survey itself takes. A survey that takes long is
  // repeated twice. The third is used however long it took, because in a large organization every survey takes long.
  {
    ...{ what: 'an organization', of: 'organizations:ListAccounts' },
    maxAgeMs: (recentReads: number) => (recentReads >= 3 ? 8 : 4) * MINUTE,
  },
] as const;

/** Reads within this time before a call can be the repeated surveys of its message, ms. */
const RECENT_MS = 15 * MINUTE;

/**
 * When each process last read the accounts of the organization and its configurations. AWS offers no call that depends on an unchanged tree, so
 * Rollcall promises to read the tree again right before each call.
 */
export class TreeReads {
  readonly #now: () => number;
  readonly #reads = new WeakMap<Process, Map<string, readonly number[]>>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A process has received an answer. */
  answered({ service, operation }: Request, output: Readonly<Record<string, unknown>>, by: Process): void {
    if (typeof output['NextToken'] === 'string' || typeof output['nextToken'] === 'string') return;
    const reads = this.#reads.get(by) ?? new Map<string, readonly number[]>();
    const name = `${service}:${operation}`;
    const recent = (reads.get(name) ?? []).filter((at) => this.#now() - at < RECENT_MS);
    reads.set(name, [...recent, this.#now()]);
    this.#reads.set(by, reads);
  }

  /** @returns what the process read too long ago to make a call for a configuration now, in words */
  outdated(by: Process): readonly string[] {
    return READS.flatMap(({ what, of, maxAgeMs }) => {
      const times = this.#reads.get(by)?.get(of) ?? [];
      const age = this.#now() - (times.at(-1) ?? Number.NEGATIVE_INFINITY);
      const recent = times.filter((at) => this.#now() - at < RECENT_MS).length;
      return age > maxAgeMs(recent) ? [`on ${what} read ${age} ms ago`] : [];
    });
  }
}
