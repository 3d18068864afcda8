import { createHash } from 'node:crypto';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import type { Request } from './engine-cloud.ts';

/**
 * The behaviour of a history as a hash: each call that reached the sandbox and each entry, with times and order. Messages, ids, content hashes
 * and member order are left out, so that only behaviour changes it.
 */
export class Behaviour {
  readonly #hash = createHash('sha256');

  called({ service, operation, callerAccountId, input }: Request, by: string, at: number): void {
    const { clientToken, ...rest } = input;
    this.#add(['call', at, by, service, operation, callerAccountId, rest, clientToken !== undefined]);
  }

  written(entry: LedgerEntry): void {
    const { at, chain, seq, type, accountId, enrollment, before, after, actor, reason, rule, runId, api } = entry;
    this.#add(['entry', at, chain, seq, type, accountId, enrollment, before, after, reason, rule]);
    const { error, intentId, unsent, optOut, scope, batch, target, until, facets, rules, account, summary } =
      entry.detail ?? {};
    this.#add([actor, runId !== null, api?.operation, error?.kind, error?.code, intentId !== undefined, unsent]);
    this.#add([optOut, scope, batch, target, until, facets, rules, account, type === 'ScanCompleted' ? summary : null]);
  }

  get digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 8);
  }

  #add(parts: readonly unknown[]): void {
    this.#hash.update(`${JSON.stringify(parts, inOrder)}\n`);
  }
}

function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
