import { GENESIS_HASH, type LedgerEntry } from '../../../../shared/domain/ledger/entry.ts';
import { type Check, count, Failures } from './finding.ts';

interface Link {
  readonly seq: number;
  readonly prevHash: string;
  readonly hash: string;
  readonly isOfPeriod: boolean;
}

/** Checks that the entries of each chain follow each other. */
export class Chains {
  readonly #links = new Map<string, Link[]>();
  /** Of each chain, the number of the last entry that retention has removed. */
  readonly #prunedTo = new Map<string, number>();

  take({ chain, seq, prevHash, hash, type, detail }: LedgerEntry, isOfPeriod: boolean): void {
    const links = this.#links.get(chain) ?? [];
    if (links.length === 0) this.#links.set(chain, links);
    links.push({ seq, prevHash, hash, isOfPeriod });
    const through = detail?.checkpoint?.through.seq ?? 0;
    if (type === 'ChainPruned' && through < seq) {
      this.#prunedTo.set(chain, Math.max(through, this.#prunedTo.get(chain) ?? 0));
    }
  }

  /** Whether retention has removed the entry, as a later entry of its chain says. */
  isPruned(chain: string, seq: number): boolean {
    return seq <= (this.#prunedTo.get(chain) ?? 0);
  }

  check(): Check {
    const failures = new Failures();
    for (const [chain, links] of this.#links) {
      links.sort((a, b) => a.seq - b.seq);
      for (const [at, link] of links.entries()) {
        const problem = problemOf(links[at - 1] ?? null, link);
        if (problem !== null) failures.add(`Chain ${chain}: ${problem}.`);
      }
    }
    return failures.check('chains', `In ${count(this.#links.size, 'chain')}, each entry follows the previous one.`);
  }
}

function problemOf(before: Link | null, { seq, prevHash, isOfPeriod }: Link): string | null {
  if (seq === 1) return prevHash === GENESIS_HASH ? null : 'entry 1 does not begin a chain';
  if (before === null) return null;
  if (before.seq === seq) return `there are two entries ${seq}`;
  if (before.seq === seq - 1)
    return before.hash === prevHash ? null : `entry ${seq} does not follow entry ${seq - 1}: one of them was replaced`;
  // Entries before and after the period are only some of their chain.
  if (!before.isOfPeriod || !isOfPeriod) return null;
  const missing = before.seq + 1 === seq - 1 ? `entry ${seq - 1} is` : `entries ${before.seq + 1} to ${seq - 1} are`;
  return `${missing} missing`;
}
