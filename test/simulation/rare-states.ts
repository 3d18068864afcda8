import { isDeepStrictEqual } from 'node:util';
import { CLAIM_EXPIRING, NOT_ALL_CLAIMED } from '../../shared/app/reconciler/remediate.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import type { OrganizationAccount } from '../../shared/domain/policy/index.ts';
import { enrollmentChangedBy } from '../support/mutating-calls.ts';
import type { Request } from './engine-cloud.ts';
import { itemsOf, textOf } from './engine-tags.ts';
import { isConfigurationCall } from './managed-configurations.ts';

/** States that an entry of the audit log shows. */
const BY_ENTRY = {
  'recovered claim whose call had acted': ({ type, detail }) => type === 'RemediationSucceeded' && isRecovery(detail),
  'recovered claim whose call had not acted': ({ type, detail }) =>
    type === 'RemediationFailed' && isRecovery(detail) && detail?.message?.includes('is unchanged') === true,
  'recovered claim whose account cannot be read': ({ detail }) =>
    isRecovery(detail) && detail?.message?.includes('cannot be read') === true,
  'claim that nearly expired before its call': ({ detail }) => detail?.error?.code === CLAIM_EXPIRING,
  'rejected batch': ({ detail }) => detail?.error?.kind === 'Batch' && detail.error.code !== 'NotAmongSucceeded',
  'account left out of a batch': ({ detail }) => detail?.error?.code === 'NotAmongSucceeded',
  'call refused because a configuration governs the account': ({ detail }) => detail?.error?.kind === 'Governed',
  'dead letter': ({ type, after }) => type === 'RemediationFailed' && after?.reason === 'deadLettered',
  'maxChanges tripped': ({ type, reason }) => type === 'GuardrailTripped' && reason === 'maxChanges',
  'maxOptOuts tripped': ({ type, reason }) => type === 'GuardrailTripped' && reason === 'maxOptOuts',
  'minCoverage tripped': ({ type, reason }) => type === 'GuardrailTripped' && reason === 'minCoverage',
  'failureTolerance tripped': ({ type, reason }) => type === 'GuardrailTripped' && reason === 'failureTolerance',
  'contested account': ({ after }) => after?.reason === 'contested',
  'halt between claim and call': (entry) => isRefused(entry, 'halted'),
  'suspension between claim and call': (entry) => isRefused(entry, 'suspendedByOperator'),
  'window closed between claim and call': (entry) => isRefused(entry, 'window'),
  'cap reached between claim and call': (entry) => isRefused(entry, 'guardrail'),
  'call for many accounts that were not all claimed': ({ detail }) => detail?.error?.code === NOT_ALL_CLAIMED,
  'cool-down': ({ type, after }) => type === 'RemediationBlocked' && after?.reason === 'coolDown',
  'change not confirmed in time': ({ type }) => type === 'ConvergenceStalled',
  'rollout after its canaries': ({ type }) => type === 'RolloutAdvanced',
  'incomplete listing': ({ after }) => after?.reason === 'listingIncomplete',
  'drift with a known cause': ({ detail }) => detail?.changedBy !== undefined,
  'accepted opt-out': ({ type, detail }) => type === 'RemediationSucceeded' && detail?.optOut === true,
} as const satisfies Readonly<Record<string, (entry: LedgerEntry) => boolean>>;

/** States that other observers report. */
const OTHERS = [
  'organization-wide call',
  'refused call for a configuration',
  'stored configuration',
  'deleted configuration',
  'change whose answer was lost',
  'opt-out that met other tags',
  'change beyond maxChanges under an approval',
  'approval used after a restart',
  'message of a replaced policy',
  'restored backup',
  'scan continued by another process',
  'credentials of another organization',
] as const;

const ENTRY_STATES: readonly (keyof typeof BY_ENTRY)[] = keysOf(BY_ENTRY);
export type RareState = keyof typeof BY_ENTRY | (typeof OTHERS)[number];

/** States that only some histories reach. Each must be reached, because an invariant is only checked in the states that a history reaches. */
export const RARE_STATES: readonly RareState[] = [...ENTRY_STATES, ...OTHERS];

/** Counts how often one history reaches each rare state. */
export class RareStates {
  readonly #counts = new Map<RareState, number>();
  readonly #accountOf: (accountId: string) => OrganizationAccount | null;

  /** @param accountOf the account in the stored snapshot */
  constructor(accountOf: (accountId: string) => OrganizationAccount | null) {
    this.#accountOf = accountOf;
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  readonly reached = (state: RareState): void => {
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + 1);
  };

  /** An entry was stored. */
  written(entry: LedgerEntry): void {
    for (const state of ENTRY_STATES) if (BY_ENTRY[state](entry)) this.reached(state);
  }

  /** A request has acted. `output`: `null` for an error or a lost answer. `refused`: for an error. */
  acted(request: Request, output: Readonly<Record<string, unknown>> | null, refused: boolean): void {
    if (enrollmentChangedBy(request) === null) return;
    if (isConfigurationCall(request)) {
      if (refused) this.reached('refused call for a configuration');
      else this.reached(request.operation.startsWith('Put') ? 'stored configuration' : 'deleted configuration');
    }
    if (output === null && !refused) this.reached('change whose answer was lost');
    if (output !== null && request.input['includeMemberAccounts'] === true) this.reached('organization-wide call');
  }

  /** A process has received an answer. Workers read tags one account at a time only before an opt-out. */
  answered({ operation, input }: Request, output: unknown, by: string): void {
    if (operation !== 'ListTagsForResource' || !by.startsWith('worker-')) return;
    const live = Object.fromEntries(itemsOf(output, 'Tags').map((tag) => [textOf(tag, 'Key'), textOf(tag, 'Value')]));
    const known = this.#accountOf(textOf(input, 'ResourceId'));
    if (known !== null && !isDeepStrictEqual(known.tags, live)) this.reached('opt-out that met other tags');
  }
}

function isRecovery(detail: LedgerEntry['detail']): boolean {
  return detail?.message?.startsWith('recovered:') === true;
}

/** Whether the guard refused a call for this reason after its accounts were claimed. */
function isRefused({ detail }: LedgerEntry, code: string): boolean {
  return detail?.intentId !== undefined && detail.error?.kind === 'Vetoed' && detail.error.code === code;
}

function keysOf<Key extends string>(of: Readonly<Record<Key, unknown>>): readonly Key[] {
  const keys: Key[] = [];
  for (const key in of) keys.push(key);
  return keys;
}
