import * as z from 'zod';
import { kindOfBatch } from '../../domain/enrollment/kinds/index.ts';
import { type EntryDraft, type LedgerEntry, ORGANIZATION_CHAIN } from '../../domain/ledger/entry.ts';
import type { WorkMessage } from '../../domain/work-message.ts';
import type { DeadLetter, DeadLetterReason, DeadLetters } from '../../ports/queue.ts';
import type { Deps } from '../context.ts';
import { documentFamily, REGISTERS } from '../coordination/documents.ts';
import { BUSY, oneAtATime } from '../coordination/single-flight.ts';
import { writeTyped } from '../coordination/typed-register.ts';
import { commandContext, organizationEntry } from './organization-entry.ts';
import { writeOrganizationEntry } from './write-entries.ts';

type RecordingDeps = Pick<Deps, 'ledger' | 'records' | 'registers' | 'queue' | 'clock' | 'newId' | 'actor'>;

export const DEAD_LETTERS = documentFamily(REGISTERS.deadLetter, z.object({ at: z.number() }));
/** How long the ids of recorded dead letters are remembered, ms: a day longer than the 14 days for which dead letters are kept. */
const REMEMBERED_MS = 15 * 86_400_000;
const MAX_LETTERS = 1_000;

/** Records that a message was given up. In the organization's chain, because the message may name many accounts or no known one. */
export function recordDeadLetter(
  deps: Pick<Deps, 'ledger' | 'clock' | 'newId' | 'actor'>,
  message: WorkMessage | null,
  reason: DeadLetterReason,
): Promise<LedgerEntry> {
  const { newId, clock, actor } = deps;
  const draft = (): EntryDraft => ({
    id: newId(),
    chain: ORGANIZATION_CHAIN,
    at: new Date(clock.now()).toISOString(),
    type: 'RemediationFailed',
    accountId: message?.kind === 'account' ? message.accountId : null,
    enrollment: message?.kind === 'account' ? message.enrollment : null,
    runId: message?.runId ?? null,
    actor,
    before: null,
    after: null,
    reason: 'deadLettered',
    rule: null,
    policyHash: message?.policyHash ?? null,
    api: null,
    detail: {
      message: `a message was given up: ${reason.message}`,
      error: { kind: 'Invalid', code: reason.code, message: reason.message },
    },
  });
  return writeOrganizationEntry(deps, draft);
}

/** Reason code in the entry of a dead letter whose accounts comply by now. The entry of a failure has `deadLettered`. */
const SETTLED = 'settled';

/** Records that a message was given up although its accounts comply: nothing failed, and nothing is left to do. */
function recordSettled(deps: RecordingDeps, message: WorkMessage, { code, message: why }: DeadLetterReason) {
  const detail = {
    message: `a message was given up after its work was done (${code}: ${why}); the accounts comply, so nothing is left to do`,
  };
  const draft = organizationEntry(commandContext(deps, message), 'VerdictChanged', { reason: SETTLED, detail });
  return writeOrganizationEntry(deps, () => ({
    ...draft,
    accountId: message.kind === 'account' ? message.accountId : null,
    enrollment: message.kind === 'account' ? message.enrollment : null,
  }));
}

/** Whether every account of the message was last observed as desired. For the organization-wide call this is unknown. */
async function isSettled({ records }: Pick<Deps, 'records'>, message: WorkMessage): Promise<boolean> {
  if (message.kind === 'organization' || message.kind === 'configurations') return false;
  const [ids, enrollment] =
    message.kind === 'account'
      ? ([[message.accountId], message.enrollment] as const)
      : ([message.accountIds, kindOfBatch(message.operation)] as const);
  const known = await records.getMany(ids);
  return ids.every((id) => {
    const condition = known.get(id)?.conditions[enrollment] ?? null;
    return condition?.verdict === 'Compliant' && condition.claim === null;
  });
}

/** The position of an entry in the form that dead letters use. */
export function entryIdOf({ chain, seq }: Pick<LedgerEntry, 'chain' | 'seq'>): string {
  return `${chain}#${seq}`;
}

/**
 * Records the dead letters that have no entry yet: those that the queue's own redrive has moved, and messages that could not be read. A letter
 * whose accounts comply by now is recorded as settled, not as a failure. One process at a time does this, so that each letter is recorded
 * once; a crash between the entry and the note that it was written may record one letter twice.
 * @returns how many were recorded; 0 while another process is recording.
 */
export async function recordDeadLetters(deps: RecordingDeps, deadLetters: DeadLetters): Promise<number> {
  const { dead } = await deps.queue.depth();
  if (dead === 0) return 0;
  const limit = Math.min(MAX_LETTERS, dead + 10);
  const recorded = await oneAtATime(deps, 'dead-letters', (lost) => recordNew(deps, deadLetters, limit, lost));
  return recorded === BUSY ? 0 : recorded;
}

async function recordNew(
  deps: RecordingDeps,
  deadLetters: DeadLetters,
  limit: number,
  lost: AbortSignal,
): Promise<number> {
  const known = await remembered(deps);
  let recorded = 0;
  for (const letter of await deadLetters.list(limit)) {
    if (letter.reason.entryId !== null || known.has(letter.id)) continue;
    lost.throwIfAborted();
    const { message, reason } = letter;
    // The message was received too often, but its work is done: an acknowledgement was lost, or an earlier receive did the work.
    if (message !== null && (await isSettled(deps, message))) await recordSettled(deps, message, reason);
    else await recordDeadLetter(deps, message, reason);
    await remember(deps, letter);
    recorded += 1;
  }
  return recorded;
}

async function remember({ registers, clock }: RecordingDeps, { id }: DeadLetter): Promise<void> {
  await writeTyped(registers, DEAD_LETTERS.named(id), { at: clock.now() }, null);
}

/** Ids of the dead letters that already have an entry. Ids of dead letters that no longer exist are dropped. */
async function remembered({ registers, clock }: RecordingDeps): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (const { name, value, version } of await registers.list(DEAD_LETTERS.prefix)) {
    const at = typeof value === 'object' && value !== null && 'at' in value ? Number(value.at) : 0;
    if (clock.now() - at > REMEMBERED_MS) await registers.remove(name, version);
    else known.add(name.slice(DEAD_LETTERS.prefix.length));
  }
  return known;
}
