import type { AccountRecord } from '../domain/account/record.ts';
import { fromStoredState, type StoredState, toStoredState } from '../domain/account/stored-state.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../domain/enrollment/kinds/index.ts';
import { VERDICTS } from '../domain/enrollment/verdict.ts';
import type { LedgerEntry } from '../domain/ledger/entry.ts';
import { ENTRY_TYPES, type EntryType } from '../domain/ledger/entry-types.ts';
import type { OrganizationAccount } from '../domain/policy/types.ts';
import type { OrganizationSnapshot } from '../ports/cloud.ts';
import type { EntryFacts } from '../ports/ledger.ts';

/*
 * Cheap checks for documents that a store reads back: only the fields that the code uses, so that a damaged or hand-edited document is detected. Of a
 * ledger entry only the outermost fields are checked, because its hash covers the rest.
 */

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isObjectOrNull = (value: unknown): boolean => value === null || isObject(value);

const TYPES: ReadonlySet<unknown> = new Set(ENTRY_TYPES);

export function isLedgerEntry(value: unknown): value is LedgerEntry {
  return (
    isObject(value) &&
    TYPES.has(value['type']) &&
    Number.isSafeInteger(value['seq']) &&
    hasEntryTexts(value) &&
    hasEntryTextsOrNull(value) &&
    hasEntryObjectsOrNull(value)
  );
}

/* The fields of an entry are written out: a loop over their names takes several times as long, and verification reads millions of entries. */

function hasEntryTexts({ id, chain, at, actor, prevHash, hash }: Fields): boolean {
  return isText(id) && isText(chain) && isText(at) && isText(actor) && isText(prevHash) && isText(hash);
}

function hasEntryTextsOrNull({ accountId, enrollment, runId, reason, rule, policyHash }: Fields): boolean {
  return (
    isTextOrNull(accountId) &&
    isTextOrNull(enrollment) &&
    isTextOrNull(runId) &&
    isTextOrNull(reason) &&
    isTextOrNull(rule) &&
    isTextOrNull(policyHash)
  );
}

function hasEntryObjectsOrNull({ before, after, api, detail }: Fields): boolean {
  return isObjectOrNull(before) && isObjectOrNull(after) && isObjectOrNull(api) && isObjectOrNull(detail);
}

const TYPE_OF: ReadonlyMap<string, EntryType> = new Map(ENTRY_TYPES.map((type) => [type, type]));
const KIND_OF: ReadonlyMap<string | null, EnrollmentId> = new Map(ENROLLMENT_IDS.map((id) => [id, id]));

interface StoredFacts extends Pick<EntryFacts, 'actor' | 'runId' | 'accountId'> {
  readonly type: string;
  readonly enrollment: string | null;
}

/** Makes the facts of an entry from the attributes that a store indexes; `null`: this version does not know the type. @param at epoch ms */
export function toFacts(at: number, stored: StoredFacts): EntryFacts | null {
  const { accountId, runId, actor } = stored;
  const type = TYPE_OF.get(stored.type);
  if (type === undefined) return null;
  return { at, type, accountId, enrollment: KIND_OF.get(stored.enrollment) ?? null, runId, actor };
}

/** An entry with its fields in the order in which `audit list` shows them. Canonical JSON, the stored form, sorts them by name. */
export function inShownOrder(entry: LedgerEntry): LedgerEntry {
  const { id, chain, seq, at, type, accountId, enrollment, runId, actor } = entry;
  const { before, after, reason, rule, policyHash, api, detail, prevHash, hash } = entry;
  return {
    id,
    chain,
    seq,
    at,
    type,
    accountId,
    enrollment,
    runId,
    actor,
    before,
    after,
    reason,
    rule,
    policyHash,
    api,
    detail,
    prevHash,
    hash,
  };
}

/** Epoch ms. @throws RangeError for an invalid time, because no query by time would find its entry */
export function toEpoch(iso: string): number {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) throw new RangeError(`not an ISO 8601 time: ${iso}`);
  return at;
}

/** A record in its stored form (`StoredState`). */
export type StoredRecord = Pick<AccountRecord, 'accountId' | 'head'> & StoredState;

export function toStoredRecord({ accountId, head, ...state }: AccountRecord): StoredRecord {
  return { accountId, head, ...toStoredState(state) };
}

export function fromStoredRecord({ accountId, head, ...state }: StoredRecord): AccountRecord {
  return { accountId, head, ...fromStoredState(state) };
}

export function isStoredRecord(value: unknown): value is StoredRecord {
  return (
    isObject(value) &&
    isText(value['accountId']) &&
    isObject(value['head']) &&
    Number.isSafeInteger(value['head']['seq']) &&
    isText(value['head']['hash']) &&
    typeof value['present'] === 'boolean' &&
    // A record that was stored before Rollcall knew an enrollment kind has no condition for that kind.
    ENROLLMENT_IDS.every((id) => value[id] === undefined || isConditionOrNull(value[id]))
  );
}

const KNOWN_VERDICTS: ReadonlySet<unknown> = new Set(VERDICTS);
const CONDITION_TEXTS_OR_NULL = [
  ...['reason', 'status', 'ruleMode', 'lastUpdated', 'desired', 'desiredRuleMode', 'notBefore', 'deadline'],
  ...['rule', 'policyHash', 'runId', 'driftSince', 'optedOutAt'],
] as const;
const CLAIM_TEXTS = ['entryId', 'startedAt', 'expiresAt', 'operation'] as const;

function isConditionOrNull(value: unknown): boolean {
  if (value === null) return true;
  return (
    isObject(value) &&
    KNOWN_VERDICTS.has(value['verdict']) &&
    isText(value['since']) &&
    isText(value['changedAt']) &&
    Number.isSafeInteger(value['attempts']) &&
    CONDITION_TEXTS_OR_NULL.every((name) => isTextOrNull(value[name])) &&
    isClaimOrNull(value['claim']) &&
    isCauseIfPresent(value['changedBy']) &&
    isListOfObjects(value['setBacks']) &&
    (value['contested'] === undefined || isObject(value['contested'])) &&
    (value['ruleModeSource'] === undefined || isObject(value['ruleModeSource']))
  );
}

function isClaimOrNull(value: unknown): boolean {
  if (value === null) return true;
  return (
    isObject(value) &&
    CLAIM_TEXTS.every((name) => isText(value[name])) &&
    isTextOrNull(value['clientToken']) &&
    typeof value['optOut'] === 'boolean'
  );
}

function isCauseIfPresent(value: unknown): boolean {
  return value === undefined || (isObject(value) && ['actor', 'operation', 'at'].every((name) => isText(value[name])));
}

const isListOfObjects = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.every(isObject));

export function isOrganizationAccount(value: unknown): value is OrganizationAccount {
  return (
    isObject(value) &&
    ['id', 'name', 'ou', 'state'].every((name) => isText(value[name])) &&
    typeof value['management'] === 'boolean' &&
    isObjectOrNull(value['tags']) &&
    (value['unitIds'] === undefined || (Array.isArray(value['unitIds']) && value['unitIds'].every(isText)))
  );
}

export type SnapshotMeta = Omit<OrganizationSnapshot, 'accounts'>;

export function isSnapshotMeta(value: unknown): value is SnapshotMeta {
  return (
    isObject(value) &&
    isText(value['organizationId']) &&
    isText(value['managementAccountId']) &&
    typeof value['takenAt'] === 'number' &&
    typeof value['tags'] === 'boolean'
  );
}

/** Accepts any JSON. Used for registers, whose readers validate the content. */
export function isAnything(_value: unknown): _value is unknown {
  return true;
}
