import * as z from 'zod';
import type { EpochMs, RuleMode } from '../../domain/enrollment/model.ts';
import type { Registers } from '../../ports/registers.ts';
import { REGISTERS, storedDocument } from '../coordination/documents.ts';
import { readTyped, update } from '../coordination/typed-register.ts';

/*
 * The notes of a target, newest first: the latest and the `earlier` ones. Every note is in one of these states:
 *   state     accepted  deleting  callId       AWS stores its rule mode
 *   calling   no        no        of the call  perhaps: the Put call is in progress, or its process was killed
 *   unknown   no        no        null         perhaps: the Put call has ended without an answer, or an operator has ended a contest
 *   stored    yes       no        null         yes; if a listing shows another one or none, somebody else has changed it
 *   deleting  either    yes       either       perhaps: the Delete call is in progress or has ended without an answer, or its process was killed
 *
 *   transition             happens                          effect
 *   noteConfiguration      before a Put call                adds a note in state calling
 *   noteDeletion           before a Delete call             calling, unknown or stored ──▶ deleting; the note as it was is kept as an earlier one
 *   confirmConfiguration   AWS has accepted the Put call    calling or unknown ──▶ stored
 *   forgetConfiguration    AWS has accepted the Delete call removes the deleting note and all older ones that were accepted
 *   withdrawConfiguration  AWS has refused the call         removes the note of the call; the one before it counts again
 *   endConfiguration       the answer was lost              calling ──▶ unknown; a deleting note stays until a listing decides
 *   endContest             an operator resumes the target   stored ──▶ unknown
 *   pruneConfigurations    after a complete listing         removes calling, unknown and deleting notes that it does not confirm, once no call can be in progress
 *
 * Assessments and plans ask `isOurs`, because Rollcall changes only its own configurations without an approval, and plans ask `isContested` before a
 * Put call. `changedSince` finds the targets that an earlier approval no longer covers. The list of configurations shows `storedByRollcall`.
 */

const ruleMode = z.enum(['AnyAllowed', 'NoneAllowed']);

const noteSchema = z.object({
  ruleMode,
  /** The path of the root or OU when Rollcall stored it, or the account's id. */
  target: z.string().default(''),
  /** The rule mode that Rollcall stored before. Until AWS has accepted the call, both rule modes count as ours. */
  previous: ruleMode.nullable(),
  at: z.number(),
  runId: z.string(),
  /** Whether AWS has accepted the call. */
  accepted: z.boolean().default(true),
  /** Rollcall has begun to delete it, so its absence does not mean that somebody else has deleted it. */
  deleting: z.boolean().default(false),
  /** When Rollcall stored it again because somebody else had deleted it, epoch ms. */
  repeated: z.array(z.number()).default([]),
  /** The id of the call while it is in progress; `null`: the call has ended, or an older version made it. If AWS has not accepted it, `at` is its end. */
  callId: z.string().nullable().default(null),
});
type Note = z.infer<typeof noteSchema>;

/** By the id of the root, OU or account: the latest note, and the earlier notes that count again if its call is refused, newest first. */
const schema = z.record(z.string(), noteSchema.extend({ earlier: z.array(noteSchema).default([]) }));

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
/** How far clocks may differ, ms: more than the rate limiter allows, because a wrong conclusion lasts; less than the interval between early scans. */
const CLOCKS_MS = 60 * 1000;

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
      return own !== undefined && mayBeOurs(own, stored);
    },
    isContested: (targetId) => isContested(known.get(targetId)?.repeated ?? [], now),
  };
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

/**
 * Notes that Rollcall is about to store a configuration, so that after a crash it does not look like somebody else's. The call ends with
 * {@link confirmConfiguration}, {@link withdrawConfiguration} or {@link endConfiguration}.
 */
export async function noteConfiguration(
  registers: Registers,
  { targetId, target, ruleMode: wanted, present, readAt, runId, callId, now }: NotedConfiguration,
): Promise<void> {
  await update(registers, OWN_CONFIGURATIONS, (current) => {
    const own = current?.[targetId];
    const ours = own !== undefined && (present === own.ruleMode || present === own.previous);
    // Somebody else can have deleted only a configuration that AWS had accepted before `present` was read.
    const wasStored = own?.accepted === true && !own.deleting && own.at <= readAt - CLOCKS_MS;
    const repeats = wasStored && own.ruleMode === wanted && present === null;
    const repeated = recent(own?.repeated ?? [], now);
    const noted = {
      ruleMode: wanted,
      target,
      previous: ours ? present : null,
      at: now,
      runId,
      callId,
      accepted: false,
      deleting: false,
      repeated: repeats ? [...repeated, now] : repeated,
    };
    return { ...current, [targetId]: { ...noted, earlier: stillPossible(own, present, now) } };
  });
}

/**
 * The notes that count again if the next call is refused: those of calls that may be in progress, and the latest one of a call that AWS has carried out.
 * AWS has carried out an accepted call, and a call of a killed process whose rule mode is the present one.
 */
function stillPossible(own: Own | undefined, present: RuleMode | null, now: EpochMs): Note[] {
  const open: Note[] = [];
  for (const note of notesOf(own)) {
    const isStored = note.accepted ? !note.deleting : note.ruleMode === present;
    const isRecent = note.callId !== null && note.at > now - CALL_MS;
    if (isRecent || isStored) open.push(note);
    if (isStored && !isRecent) break;
  }
  return open;
}

/** All notes of a target, newest first. */
function notesOf(own: Own | undefined): readonly Note[] {
  if (own === undefined) return [];
  const { earlier, ...latest } = own;
  return [latest, ...earlier];
}

/** Changes all notes of a target, newest first. Without any note left, the target is forgotten. */
async function changeNotes(
  registers: Registers,
  targetId: string,
  change: (notes: readonly Note[]) => readonly Note[],
): Promise<void> {
  await update(registers, OWN_CONFIGURATIONS, (current) => {
    const { [targetId]: own, ...others } = current ?? {};
    const [latest, ...earlier] = change(notesOf(own));
    return latest === undefined ? others : { ...others, [targetId]: { ...latest, earlier } };
  });
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
  /** Identifies the call, so that its end does not change the notes of another call. */
  readonly callId: string;
  readonly now: EpochMs;
}

/** Notes that Rollcall is about to delete a configuration. After a crash, the deletion then does not look like somebody else's. */
export async function noteDeletion(
  registers: Registers,
  { targetId, callId, now }: Pick<NotedConfiguration, 'targetId' | 'callId' | 'now'>,
): Promise<void> {
  await update(registers, OWN_CONFIGURATIONS, (current) => {
    const own = current?.[targetId];
    if (own === undefined) return current ?? {};
    const earlier = stillPossible(own, own.ruleMode, now);
    return { ...current, [targetId]: { ...own, deleting: true, at: now, callId, earlier } };
  });
}

/**
 * Forgets the notes of processes that were killed after a Delete call or before a Put call. For these targets, AWS stores no configuration or another
 * one. With the notes, the same configuration would count as ours if somebody else stored it later.
 * @param stored a complete listing
 * @param readAt when the listing began, epoch ms
 */
export async function pruneConfigurations(
  registers: Registers,
  stored: ReadonlyMap<string, RuleMode>,
  readAt: EpochMs,
): Promise<void> {
  const isOver = (id: string, own: Own): boolean => {
    const isOpen = own.at > readAt - (own.accepted || own.callId !== null ? CALL_MS : CLOCKS_MS);
    if (isOpen || recent(own.repeated, readAt).length > 0) return false;
    const present = stored.get(id);
    return present === undefined ? own.deleting || !own.accepted : !own.accepted && !mayBeOurs(own, present);
  };
  const isUnmade = (id: string, { accepted, at, ruleMode: noted }: Note): boolean =>
    !accepted && at <= readAt - CALL_MS && noted !== stored.get(id);
  const isOutdated = ([id, own]: readonly [string, Own]): boolean =>
    isOver(id, own) || own.earlier.some((note) => isUnmade(id, note));
  if (!Object.entries((await readTyped(registers, OWN_CONFIGURATIONS))?.value ?? {}).some(isOutdated)) return;
  await update(registers, OWN_CONFIGURATIONS, (current) => {
    const kept = Object.entries(current ?? {}).filter(([id, own]) => !isOver(id, own));
    return Object.fromEntries(
      kept.map(([id, own]) => [id, { ...own, earlier: own.earlier.filter((note) => !isUnmade(id, note)) }]),
    );
  });
}

/**
 * Call if AWS has certainly not carried out the call. The earlier notes then count again, and a configuration that somebody else stores later does not
 * count as ours.
 */
export async function withdrawConfiguration(registers: Registers, targetId: string, callId: string): Promise<void> {
  await changeNotes(registers, targetId, (notes) => notes.filter((note) => note.callId !== callId));
}

const SETTLED = { previous: null, accepted: true, deleting: false, callId: null };

function settledIn(notes: readonly Note[], accepted: Note): Note[] {
  return notes.map((note) => (note === accepted ? { ...note, ...SETTLED } : note));
}

/**
 * Call if the call has ended, but AWS may have carried it out because the answer was lost. If a listing that begins now shows the configuration, it is
 * ours. If not, the same configuration is somebody else's when it appears later.
 */
export async function endConfiguration(
  registers: Registers,
  { targetId, callId, now }: Pick<NotedConfiguration, 'targetId' | 'callId' | 'now'>,
): Promise<void> {
  const ended = (note: Note): Note => (note.callId === callId ? { ...note, callId: null, at: now } : note);
  await changeNotes(registers, targetId, (notes) => notes.map(ended));
}

/** AWS has accepted the call. If the previous rule mode is there again later, somebody else has set it. */
export async function confirmConfiguration(registers: Registers, targetId: string, callId: string): Promise<void> {
  await update(registers, OWN_CONFIGURATIONS, (current) => {
    const own = current?.[targetId];
    const confirmed = own?.earlier.find((note) => note.callId === callId);
    if (own === undefined) return current ?? {};
    // After minutes, the call of a paused process has no note any more. An older version that writes the register drops the ids of calls.
    if (confirmed === undefined && own.callId !== callId && own.callId !== null) return current ?? {};
    const settled =
      confirmed === undefined
        ? { ...own, ...SETTLED, earlier: own.earlier.filter(({ accepted }) => !accepted) }
        : // A later call for the target began before this one ended, so AWS may store either.
          { ...own, previous: confirmed.ruleMode, earlier: settledIn(own.earlier, confirmed) };
    return { ...current, [targetId]: settled };
  });
}

/** AWS has accepted the Delete call. What it stores for the target later is of another call, one that may be in progress, or it is somebody else's. */
export async function forgetConfiguration(registers: Registers, targetId: string, callId: string): Promise<void> {
  await changeNotes(registers, targetId, (notes) => {
    // An older version that writes the register drops the ids of calls.
    const deletion = notes.findIndex(({ callId: id, deleting }) => id === callId || (id === null && deleting));
    if (deletion === -1) return notes;
    return notes.filter(({ accepted }, index) => index < deletion || (index > deletion && !accepted));
  });
}

/** Whether the stored rule mode is that of an accepted call, or of a call whose result is unknown. */
function mayBeOurs(own: Own, stored: RuleMode): boolean {
  const open = own.earlier.filter(({ accepted }) => !accepted);
  return own.previous === stored || [own, ...open].some((note) => note.ruleMode === stored);
}

export const isContested = (repeated: readonly EpochMs[], now: EpochMs): boolean =>
  recent(repeated, now).length >= MAX_REPEATED;

function recent(times: readonly EpochMs[], now: EpochMs): EpochMs[] {
  return times.filter((at) => at > now - PERIOD_MS);
}
