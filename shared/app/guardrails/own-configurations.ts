import * as z from 'zod';
import type { EpochMs, RuleMode } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';

const ruleMode = z.enum(['AnyAllowed', 'NoneAllowed']);
/** By the id of the root, OU or account. */
const schema = z.record(
  z.string(),
  z.object({
    ruleMode,
    /** The path of the root or OU when Rollcall stored it, or the account's id. */
    target: z.string().default(''),
    /** What Rollcall stored before: until AWS has accepted the call, both are ours. */
    previous: ruleMode.nullable(),
    at: z.number(),
    runId: z.string(),
    /** Whether AWS has accepted the call. */
    accepted: z.boolean().default(true),
    /** Rollcall has begun to delete it, so its absence does not mean that somebody else has deleted it. */
    deleting: z.boolean().default(false),
    /** When Rollcall stored it again because somebody else had deleted it, epoch ms. */
    repeated: z.array(z.number()).default([]),
  }),
);

type Own = z.infer<typeof schema>[string];

export const OWN_CONFIGURATIONS = storedDocument(REGISTERS.configurations, schema);

/** Rollcall stores a configuration that somebody else has deleted again this often within {@link PERIOD_MS}; after that it is contested. */
const MAX_REPEATED = 2;
const PERIOD_MS = 24 * 60 * 60 * 1000;
/**
 * A call that was noted longer ago than this is no longer in progress, ms: it is sent within a minute of the listing that it is based on. If a paused
 * process sends it later, its configuration counts as somebody else's, which nothing overwrites.
 */
const CALL_MS = 5 * 60 * 1000;

/** The configurations that Rollcall stored. */
export interface OwnConfigurations {
  /** Whether Rollcall stored this rule mode for the target. */
  readonly isOurs: (targetId: string, stored: RuleMode) => boolean;
  /** Whether somebody else has deleted it repeatedly, so that Rollcall must not store it again. */
  readonly isContested: (targetId: string) => boolean;
}

/** For a policy that does not manage configurations. */
export const NO_OWN_CONFIGURATIONS: OwnConfigurations = { isOurs: () => false, isContested: () => false };

export async function ownConfigurations(registers: Pick<Registers, 'read'>, now: EpochMs): Promise<OwnConfigurations> {
  const known = new Map(Object.entries((await readTyped(registers, OWN_CONFIGURATIONS))?.value ?? {}));
  return {
    isOurs(targetId, stored) {
      const own = known.get(targetId);
      return own !== undefined && (own.ruleMode === stored || own.previous === stored);
    },
    isContested: (targetId) => isContested(known.get(targetId)?.repeated ?? [], now),
  };
}

export interface ContestedConfiguration {
  readonly targetId: string;
  /** The path of the root or OU, or the account's id. */
  readonly target: string;
  readonly ruleMode: RuleMode;
}

export async function contestedConfigurations(
  registers: Pick<Registers, 'read'>,
  now: EpochMs,
): Promise<readonly ContestedConfiguration[]> {
  const known = Object.entries((await readTyped(registers, OWN_CONFIGURATIONS))?.value ?? {});
  return known.flatMap(([targetId, { target, ruleMode: stored, repeated }]) =>
    isContested(repeated, now) ? [{ targetId, target: target || targetId, ruleMode: stored }] : [],
  );
}

/** What Rollcall has stored for a target. */
export interface OwnConfiguration {
  /** The path of the root or OU, or the account's id. */
  readonly target: string;
  /** Until AWS has accepted a call, the previous rule mode is Rollcall's too. */
  readonly ruleModes: readonly RuleMode[];
  readonly contested: boolean;
}

/** All configurations that Rollcall has stored, by the id of the target. */
export async function storedByRollcall(
  registers: Pick<Registers, 'read'>,
  now: EpochMs,
): Promise<ReadonlyMap<string, OwnConfiguration>> {
  const known = Object.entries((await readTyped(registers, OWN_CONFIGURATIONS))?.value ?? {});
  return new Map(
    known.map(([targetId, { target, ruleMode: stored, previous, repeated }]) => {
      const ruleModes = previous === null ? [stored] : [stored, previous];
      return [targetId, { target: target || targetId, ruleModes, contested: isContested(repeated, now) }];
    }),
  );
}

/** Lets Rollcall store these configurations again. Earlier deletions no longer count. */
export async function endContest(registers: Registers, targetIds: ReadonlySet<string>): Promise<void> {
  // `accepted: false`, because otherwise the next call would count as a response to another deletion.
  const ended = { repeated: [], accepted: false };
  await update(registers, OWN_CONFIGURATIONS, (current) =>
    Object.fromEntries(
      Object.entries(current ?? {}).map(([id, own]) => [id, targetIds.has(id) ? { ...own, ...ended } : own]),
    ),
  );
}

/**
 * Notes that Rollcall is about to store a configuration, so that after a crash it does not look like somebody else's.
 * @returns what was noted for the target before, for {@link withdrawConfiguration}; `null`: nothing
 */
export async function noteConfiguration(
  registers: Registers,
  { targetId, target, ruleMode: wanted, present, readAt, runId, now }: NotedConfiguration,
): Promise<Own | null> {
  let before: Own | null = null;
  await update(registers, OWN_CONFIGURATIONS, (current) => {
    const own = current?.[targetId];
    before = own ?? null;
    const ours = own !== undefined && (present === own.ruleMode || present === own.previous);
    // Somebody else can have deleted only a configuration that AWS had accepted before `present` was read.
    const wasStored = own?.accepted === true && !own.deleting && own.at <= readAt;
    const repeats = wasStored && own.ruleMode === wanted && present === null;
    const repeated = recent(own?.repeated ?? [], now);
    const previous = ours ? present : null;
    const noted = { ruleMode: wanted, target, previous, at: now, runId, accepted: false, deleting: false };
    return { ...current, [targetId]: { ...noted, repeated: repeats ? [...repeated, now] : repeated } };
  });
  return before;
}

interface NotedConfiguration {
  readonly targetId: string;
  /** The path of the root or OU, or the account's id. */
  readonly target: string;
  readonly ruleMode: RuleMode;
  /** The rule mode that AWS stores now; `null`: none. */
  readonly present: RuleMode | null;
  /** When `present` was read, epoch ms. */
  readonly readAt: EpochMs;
  readonly runId: string;
  readonly now: EpochMs;
}

/**
 * Notes that Rollcall is about to delete a configuration, so that after a crash the deletion does not count as somebody else's.
 * @returns as {@link noteConfiguration}
 */
export async function noteDeletion(registers: Registers, targetId: string, now: EpochMs): Promise<Own | null> {
  let before: Own | null = null;
  await update(registers, OWN_CONFIGURATIONS, (current) => {
    const own = current?.[targetId];
    before = own ?? null;
    return own === undefined ? (current ?? {}) : { ...current, [targetId]: { ...own, deleting: true, at: now } };
  });
  return before;
}

/**
 * Forgets the notes of processes that were killed after a Delete call or before a Put call: AWS stores no configuration for them. Otherwise the same
 * configuration would count as ours if somebody else stored it later.
 * @param stored a complete listing
 * @param readAt when the listing began, epoch ms
 */
export async function pruneConfigurations(
  registers: Registers,
  stored: ReadonlyMap<string, RuleMode>,
  readAt: EpochMs,
): Promise<void> {
  const isOver = (id: string, { accepted, deleting, at, repeated }: Own): boolean =>
    !stored.has(id) && (deleting || !accepted) && at <= readAt - CALL_MS && recent(repeated, readAt).length === 0;
  const known = Object.entries((await readTyped(registers, OWN_CONFIGURATIONS))?.value ?? {});
  if (!known.some(([id, own]) => isOver(id, own))) return;
  await update(registers, OWN_CONFIGURATIONS, (current) =>
    Object.fromEntries(Object.entries(current ?? {}).filter(([id, own]) => !isOver(id, own))),
  );
}

/**
 * Restores the earlier note if AWS has certainly not carried out the call. Otherwise a configuration that somebody else stores later would count as
 * ours.
 * @param before the result of {@link noteConfiguration} or {@link noteDeletion}
 */
export async function withdrawConfiguration(registers: Registers, targetId: string, before: Own | null): Promise<void> {
  if (before === null) return forgetConfiguration(registers, targetId);
  await update(registers, OWN_CONFIGURATIONS, (current) => ({ ...current, [targetId]: before }));
}

/** AWS has accepted the call. If the previous rule mode is there again later, somebody else has set it. */
export async function confirmConfiguration(registers: Registers, targetId: string): Promise<void> {
  await update(registers, OWN_CONFIGURATIONS, (current) => {
    const own = current?.[targetId];
    return own === undefined
      ? (current ?? {})
      : { ...current, [targetId]: { ...own, previous: null, accepted: true, deleting: false } };
  });
}

/** Forgets a target: whatever AWS stores for it is somebody else's. */
export async function forgetConfiguration(registers: Registers, targetId: string): Promise<void> {
  await update(registers, OWN_CONFIGURATIONS, (current) => {
    const { [targetId]: _, ...others } = current ?? {};
    return others;
  });
}

const isContested = (repeated: readonly EpochMs[], now: EpochMs): boolean =>
  recent(repeated, now).length >= MAX_REPEATED;

function recent(times: readonly EpochMs[], now: EpochMs): EpochMs[] {
  return times.filter((at) => at > now - PERIOD_MS);
}
