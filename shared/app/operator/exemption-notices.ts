import * as z from 'zod';
import { type AccountRecord, emptyRecord } from '../../domain/account/record.ts';
import { accountEntry } from '../../domain/account/transition.ts';
import { sha256Hex } from '../../domain/canonical-hash.ts';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, EpochMs } from '../../domain/enrollment/model.ts';
import type { EntryType } from '../../domain/ledger/entry-types.ts';
import type { CompiledPolicy, Exemption } from '../../domain/policy/index.ts';
import { toIso } from '../../domain/time.ts';
import type { Deps } from '../context.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';
import { writeEntries } from '../ledger/write-entries.ts';
import { hasPendingWork } from '../work-queue/due-keys.ts';

/*
 * The stages of an exemption, which is identified by its content:
 *
 *   (unknown) ──in force──▶ active ──7 days before its end──▶ expiring ──its end──▶ expired
 *       └────first seen after its end: nothing to announce──────────────────────────▲
 *
 * One tick takes a lease on an announcement in the register, writes it, and closes it. After a crash another tick continues.
 */
const stage = z.enum(['active', 'expiring', 'expired']);
const known = z.object({
  stage,
  /** When the lease of the tick that writes the announcement expires, epoch ms; 0: no tick is writing it. Stored under an older name. */
  claimedUntil: z.number(),
  endsAt: z.number(),
});
const registerSchema = z.record(z.string(), known);
type Known = z.infer<typeof registerSchema>;
type Stage = z.infer<typeof stage>;

export const EXEMPTIONS = storedDocument(REGISTERS.exemptions, registerSchema);
const LEASE_MS = 60_000;
const CHUNK = 500;

export type ExemptionDeps = Pick<Deps, 'ledger' | 'records' | 'registers' | 'clock' | 'newId' | 'actor'>;

interface Due {
  readonly key: string;
  readonly exemption: Exemption;
  readonly stage: 'expiring' | 'expired';
  /** Whether the lease of an earlier process expired before it closed this announcement. Some of its entries may already be written. */
  readonly again: boolean;
}

/**
 * Announces exemptions that end within 7 days and those that have ended, once each, with one entry per account.
 * @returns the number of announced exemptions
 */
export async function announceExemptions(deps: ExemptionDeps, policy: CompiledPolicy): Promise<number> {
  const { exemptions } = policy.policy;
  const stored = (await readTyped(deps.registers, EXEMPTIONS))?.value ?? null;
  if (exemptions.length === 0 && stored === null) return 0;
  const now = deps.clock.now();
  if (stored !== null && !needsUpdate(stored, exemptions, now)) return 0;
  const due = await leaseDue(deps, await withKnownAccounts(deps, exemptions), now);
  for (const each of due) {
    await announce(deps, policy, each, now);
    await update(deps.registers, EXEMPTIONS, (current) => ({
      ...current,
      [each.key]: { stage: each.stage, claimedUntil: 0, endsAt: each.exemption.endsAt },
    }));
  }
  return due.length;
}

/** When the next announcement after `now` is due; `null`: none. */
export function nextNoticeAt(exemptions: readonly Exemption[], now: EpochMs): EpochMs | null {
  const later = exemptions.flatMap(({ announceAt, endsAt }) => [announceAt, endsAt]).filter((at) => at > now);
  return later.length === 0 ? null : Math.min(...later);
}

/** The exemptions with at least one account that a scan has found. */
async function withKnownAccounts(
  { records }: ExemptionDeps,
  exemptions: readonly Exemption[],
): Promise<readonly Exemption[]> {
  const stored = await records.getMany([...new Set(exemptions.flatMap(({ accounts }) => accounts))]);
  return exemptions.filter(({ accounts }) => accounts.some((id) => stored.get(id)?.present === true));
}

/** Identifies an exemption by its content, so that an extended or reassigned one is announced again. */
function keyOf({ accounts, enrollment, until, owner, reason }: Exemption): string {
  return sha256Hex(JSON.stringify([[...accounts].sort(), enrollment, until, owner, reason])).slice(0, 32);
}

function stageOf({ announceAt, endsAt }: Exemption, now: EpochMs): Stage {
  if (now >= endsAt) return 'expired';
  return now >= announceAt ? 'expiring' : 'active';
}

function needsUpdate(stored: Known, exemptions: readonly Exemption[], now: EpochMs): boolean {
  const keys = new Set<string>();
  for (const exemption of exemptions) {
    const key = keyOf(exemption);
    keys.add(key);
    const entry = stored[key];
    if (entry === undefined || entry.stage !== stageOf(exemption, now)) return true;
    if (entry.claimedUntil !== 0 && entry.claimedUntil <= now) return true;
  }
  return Object.entries(stored).some(([key, entry]) => !keys.has(key) && isOver(entry, now));
}

/** The stage of an exemption is kept until its end even if the policy lacks it, because another process may have another policy. */
function isOver({ endsAt }: z.infer<typeof known>, now: EpochMs): boolean {
  return endsAt <= now;
}

async function leaseDue(deps: ExemptionDeps, exemptions: readonly Exemption[], now: EpochMs): Promise<readonly Due[]> {
  const leased: { due: Due[] } = { due: [] };
  await update(deps.registers, EXEMPTIONS, (current): Known => {
    leased.due = [];
    const kept = Object.entries(current ?? {}).filter(([, entry]) => !isOver(entry, now));
    const next: Record<string, z.infer<typeof known>> = Object.fromEntries(kept);
    for (const exemption of exemptions) {
      const key = keyOf(exemption);
      const { endsAt } = exemption;
      const before = current?.[key] ?? null;
      const at = stageOf(exemption, now);
      const open = before !== null && before.claimedUntil !== 0;
      if (open && before.claimedUntil > now) next[key] = before;
      else if (at === 'active' || (before === null && at === 'expired'))
        next[key] = { stage: at, claimedUntil: 0, endsAt };
      else if (before !== null && before.stage === at && !open) next[key] = before;
      else {
        next[key] = { stage: at, claimedUntil: now + LEASE_MS, endsAt };
        leased.due.push({ key, exemption, stage: at, again: open });
      }
    }
    return next;
  });
  return leased.due;
}

async function announce(deps: ExemptionDeps, policy: CompiledPolicy, due: Due, now: EpochMs): Promise<void> {
  const ids = [...new Set(due.exemption.accounts)];
  for (let at = 0; at < ids.length; at += CHUNK) {
    const chunk = ids.slice(at, at + CHUNK);
    const records = await deps.records.getMany(chunk);
    const announced = due.again ? await announcedIn(deps, chunk, due) : new Set<AccountId>();
    const written = await writeEntries(
      deps,
      chunk
        .filter((id) => !announced.has(id))
        .map((id) => {
          // Built once, so that all attempts to write it have the same id.
          const draft = entryOf(deps, policy, due, id, now);
          return {
            record: records.get(id) ?? emptyRecord(id),
            decide: (record: AccountRecord) => (record.present && draft !== null ? [draft] : []),
          };
        }),
    );
    for (const { record, entries } of written) if (entries.length > 0) await keepAwake(deps, record, now);
  }
}

/** The new entry has replaced the time at which the account would have been polled, so it is made due now. */
async function keepAwake({ records }: ExemptionDeps, record: AccountRecord, now: EpochMs): Promise<void> {
  if (!hasPendingWork(record)) return;
  await records.snooze(record.accountId, record.head.seq, now);
}

/** Accounts for which an interrupted tick has already announced the exemption. */
async function announcedIn(
  { ledger }: ExemptionDeps,
  ids: readonly AccountId[],
  due: Due,
): Promise<ReadonlySet<AccountId>> {
  const since = toIso(due.stage === 'expired' ? due.exemption.endsAt : due.exemption.announceAt);
  const announced = new Set<AccountId>();
  for (const accountId of ids) {
    const { entries } = await ledger.query({ accountId, type: typeOf(due), since }, { limit: 100 });
    if (entries.some(({ detail }) => detail?.exemption === due.key)) announced.add(accountId);
  }
  return announced;
}

function typeOf({ stage }: Due): EntryType {
  return stage === 'expired' ? 'ExemptionExpired' : 'ExemptionExpiring';
}

/** @returns `null` if another exemption continues where this one ends. */
function entryOf(deps: ExemptionDeps, policy: CompiledPolicy, due: Due, accountId: AccountId, now: EpochMs) {
  const { exemption, key } = due;
  const { enrollment, endsAt, until, owner, reason } = exemption;
  const named: readonly EnrollmentId[] = enrollment === 'both' ? policy.kinds : [enrollment];
  const ends = named.filter((name) => policy.exemption(accountId, name, endsAt) === null);
  const [one, second] = ends;
  if (one === undefined) return null;
  const whose = `${reason} (${owner})`;
  const message =
    due.stage === 'expired'
      ? `the exemption ended with ${until} UTC: ${whose}; the policy is enforced from now on`
      : `the exemption ends with ${until} UTC: ${whose}; then the policy is enforced`;
  const context = { newId: deps.newId, now, actor: deps.actor, runId: null, policyHash: policy.hash };
  return accountEntry(context, typeOf(due), accountId, second === undefined ? one : null, {
    reason: 'exemption',
    detail: { message, exemption: key, until: toIso(endsAt) },
  });
}
