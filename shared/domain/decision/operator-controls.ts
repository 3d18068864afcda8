import * as z from 'zod';
import { actorName } from '../actor.ts';
import type { AccountId, EpochMs } from '../enrollment/model.ts';
import { type Match, type OperatorSelector, type OrganizationAccount, parseOperatorSelector } from '../policy/index.ts';
import { toIso, toMinute } from '../time.ts';
import type { Suspension } from './assess-context.ts';

const time = z.number();
const reason = z.string().nullable();

const suspension = z.object({
  /** The id of its ledger entry. */
  id: z.string(),
  /** The canonical text of the selector, as `parseOperatorSelector` returns it. */
  selector: z.string().refine((text) => parseOperatorSelector(text).ok, 'is not a selector'),
  reason,
  /** Epoch ms; `null`: until resumed. */
  until: time.nullable(),
  at: time,
  by: z.string(),
});
export type OperatorSuspension = z.infer<typeof suspension>;

const halt = z.object({ id: z.string(), at: time, by: z.string(), reason });
export type Halt = z.infer<typeof halt>;

/** An operator's command that is stored, but not yet in the audit log and not yet applied to the records of accounts. */
const notice = z.object({
  id: z.string(),
  type: z.enum(['EnforcementHalted', 'EnforcementResumed', 'AccountSuspended', 'AccountResumed']),
  at: time,
  by: z.string(),
  reason: z.string(),
  message: z.string(),
  selector: z.string().nullable(),
  until: time.nullable(),
  /** When the lease of the process that carries it out expires, epoch ms; 0: none has held it. Stored under an older name. */
  claimedUntil: time,
  /** The command has been applied to all accounts up to this id; `null`: to none. A process stores this when its deadline has passed. */
  appliedTo: z.string().nullable().default(null),
});
export type Notice = z.infer<typeof notice>;

/**
 * The kill switch, the suspensions and the notices are one document, which a worker reads right before each call.
 * A command and its notice are written together, so a crash cannot separate them.
 */
export const controlsSchema = z.object({
  halt: halt.nullable(),
  suspensions: z.array(suspension),
  notices: z.array(notice),
});
export type Controls = z.infer<typeof controlsSchema>;

export const NO_CONTROLS: Controls = { halt: null, suspensions: [], notices: [] };

/** One operator command. `id` becomes the id of its audit log entry. */
export interface Act {
  readonly id: string;
  readonly at: EpochMs;
  readonly by: string;
}

const noticeOf = (act: Act, rest: Pick<Notice, 'type' | 'message'> & Partial<Notice>): Notice => ({
  id: act.id,
  at: act.at,
  by: act.by,
  reason: 'operator',
  selector: null,
  until: null,
  claimedUntil: 0,
  appliedTo: null,
  ...rest,
});

/** Changes nothing if enforcement is already halted. */
export function halted(controls: Controls, act: Act, why: string | null): Controls {
  if (controls.halt !== null) return controls;
  const message = why ?? 'halted; no reason was given';
  const notice = noticeOf(act, { type: 'EnforcementHalted', message });
  return { ...controls, halt: { ...act, reason: why }, notices: [...controls.notices, notice] };
}

export function unhalted(controls: Controls, act: Act): Controls {
  if (controls.halt === null) return controls;
  const { at, by } = controls.halt;
  const message = `enforcement resumed; it was halted ${toIso(at)} by ${by}`;
  return {
    ...controls,
    halt: null,
    notices: [...controls.notices, noticeOf(act, { type: 'EnforcementResumed', message })],
  };
}

const withWhy = (text: string, why: string | null): string => (why === null ? text : `${text}: ${why}`);

const suspendedText = ({ selector, until, reason }: Pick<OperatorSuspension, 'selector' | 'until' | 'reason'>) =>
  withWhy(`${selector} suspended ${until === null ? 'until resumed' : `until ${toIso(until)}`}`, reason);

/** A suspension with the same selector is replaced. */
export function suspended(
  controls: Controls,
  act: Act,
  { selector, until, why }: { readonly selector: string; readonly until: EpochMs | null; readonly why: string | null },
): Controls {
  const others = controls.suspensions.filter((known) => known.selector !== selector);
  const message = suspendedText({ selector, until, reason: why });
  return {
    ...controls,
    suspensions: [...others, { ...act, selector, reason: why, until }],
    notices: [...controls.notices, noticeOf(act, { type: 'AccountSuspended', message, selector, until })],
  };
}

/** The controls of a restored store, and the suspensions that were kept from the replaced store. */
export interface StricterControls {
  readonly controls: Controls;
  readonly kept: readonly OperatorSuspension[];
}

/**
 * The controls after a restore: enforcement is halted, and the suspensions of both the backup and the store that it replaces apply.
 * Notices record what the backup's audit log lacks.
 */
export function restoredControls(
  backup: Controls,
  replaced: Controls | null,
  { act, why, newId }: { readonly act: Act; readonly why: string; readonly newId: () => string },
): StricterControls {
  const others = replaced?.suspensions ?? [];
  const suspensions = withoutDuplicates([...backup.suspensions, ...others]);
  const kept = suspensions.filter((known) => others.includes(known));
  const notices = kept.map((known) => {
    const message = `${suspendedText(known)}; kept from the store that was replaced by a restore`;
    const { selector, until } = known;
    return noticeOf({ ...act, id: newId() }, { type: 'AccountSuspended', message, selector, until });
  });
  const before = replaced?.halt ?? backup.halt;
  const message = before === null ? why : `${why}${SINCE}${earlierHalt(before)}`;
  const notice = noticeOf(act, { type: 'EnforcementHalted', message });
  return {
    controls: { halt: { ...act, reason: message }, suspensions, notices: [...backup.notices, ...notices, notice] },
    kept,
  };
}

const SINCE = '; already halted ';

/** The halt before a restore, in short. If a restore had set that halt, too, the halt before that restore. The audit log has each in full. */
function earlierHalt({ at, by, reason }: Halt): string {
  const [, ...earlier] = (reason ?? '').split(SINCE);
  return earlier.at(-1) ?? withWhy(`${toMinute(at)} by ${actorName(by)}`, reason);
}

/** The suspensions that a `resume` ends. */
export interface Resumption {
  readonly controls: Controls;
  /** The selectors of the suspensions that ended, or the ids that were removed from suspensions. */
  readonly ended: readonly string[];
  /** Ids in the command that are not suspended by id. */
  readonly left: readonly string[];
}

/**
 * Ends the suspensions with the same selector; `all` ends every one. Account ids are also removed from suspensions that name
 * them together with others. An account that is suspended by OU, tag or name stays suspended.
 */
export function resumed(
  controls: Controls,
  act: Act,
  selector: OperatorSelector,
  why: string | null = null,
): Resumption {
  const ends = (known: OperatorSuspension): boolean => selector.text === 'all' || known.selector === selector.text;
  const ended = controls.suspensions.filter(ends).map((known) => known.selector);
  const ids = new Set(ended.length > 0 ? [] : selector.accounts);
  const taken = new Set<string>();
  const rest = controls.suspensions
    .filter((known) => !ends(known))
    .flatMap((known) => {
      const named = idsOf(known);
      const others = named.filter((id) => !ids.has(id));
      if (others.length === named.length) return [known];
      for (const id of named) if (ids.has(id)) taken.add(id);
      return others.length === 0 ? [] : [{ ...known, selector: others.join(',') }];
    });
  // After ids were removed, two suspensions may have the same selector.
  const suspensions = withoutDuplicates(rest);
  const texts = taken.size > 0 ? [...taken].sort() : ended;
  const resumedSelectors = taken.size > 0 ? [[...taken].sort().join(',')] : ended;
  const notices = resumedSelectors.map((text, i) =>
    noticeOf(
      { ...act, id: i === 0 ? act.id : `${act.id}.${i}` },
      { type: 'AccountResumed', message: withWhy(`${text} resumed`, why), selector: text },
    ),
  );
  const left = ended.length > 0 ? [] : selector.accounts.filter((id) => !taken.has(id));
  return { controls: { ...controls, suspensions, notices: [...controls.notices, ...notices] }, ended: texts, left };
}

const endOf = ({ until }: OperatorSuspension): EpochMs => until ?? Number.POSITIVE_INFINITY;

/** Of several suspensions with the same selector, keeps the one that ends last, or the first of those. */
function withoutDuplicates(all: readonly OperatorSuspension[]): OperatorSuspension[] {
  return all.filter((known) => {
    const same = all.filter(({ selector }) => selector === known.selector);
    const last = Math.max(...same.map(endOf));
    return same.find((other) => endOf(other) === last) === known;
  });
}

function idsOf({ selector }: OperatorSuspension): readonly string[] {
  const parsed = parseOperatorSelector(selector);
  return parsed.ok ? parsed.selector.accounts : [];
}

/** Ends the suspensions that have expired by `now`, and adds a notice for each. */
export function expired(controls: Controls, now: EpochMs, newId: () => string, by: string): Controls {
  const over = controls.suspensions.filter(({ until }) => until !== null && until <= now);
  if (over.length === 0) return controls;
  const notices = over.map(({ selector, until, at, by: who }) =>
    noticeOf(
      { id: newId(), at: now, by },
      {
        type: 'AccountResumed',
        reason: 'expired',
        message: `the suspension of ${selector} by ${who} (${toIso(at)}) ended ${toIso(until ?? now)}`,
        selector,
      },
    ),
  );
  const suspensions = controls.suspensions.filter((known) => !over.includes(known));
  return { ...controls, suspensions, notices: [...controls.notices, ...notices] };
}

/** Controls with parsed selectors, for lookups of many accounts. */
export interface CompiledControls {
  readonly halt: Halt | null;
  /** Suspensions that have not ended at `now`. */
  readonly inForce: (now: EpochMs) => readonly OperatorSuspension[];
  /** Whether the selectors need accounts' tags. */
  readonly usesTags: boolean;
  /** The suspension of an account that ends last. If a selector needs tags that were not read, the account counts as suspended. */
  readonly suspensionOf: (account: OrganizationAccount, now: EpochMs) => Suspension | null;
  /** Like `suspensionOf` if only the id of the account is known. Selectors that need more than the id are ignored. */
  readonly suspensionById: (accountId: AccountId, now: EpochMs) => Suspension | null;
}

/** @throws Error for a stored selector that this version cannot read, because no suspension may be ignored. */
export function compileControls(controls: Controls): CompiledControls {
  const compiled = controls.suspensions.map((known) => {
    const parsed = parseOperatorSelector(known.selector);
    if (!parsed.ok) throw new Error(`the stored suspension ${known.selector} cannot be read: ${parsed.message}`);
    return { known, match: parsed.selector.match };
  });
  const inForce = (now: EpochMs) => compiled.filter(({ known }) => known.until === null || now < known.until);
  const lastOf = (matching: typeof compiled) =>
    matching.find(({ known }) => endOf(known) === Math.max(...matching.map((each) => endOf(each.known))));
  return {
    halt: controls.halt,
    inForce: (now) => inForce(now).map(({ known }) => known),
    usesTags: compiled.some(({ match }) => match.usesTags),
    suspensionOf: (account, now) => {
      const last = lastOf(
        inForce(now).filter(({ match }) => (match.usesTags && account.tags === null) || match.test(account)),
      );
      if (last === undefined) return null;
      const unread = last.match.usesTags && account.tags === null;
      return suspensionFrom(last.known, unread ? '; its tags are not read yet, so the suspension may apply' : '');
    },
    suspensionById: (accountId, now) => {
      const last = lastOf(inForce(now).filter(({ match: { match } }) => matchesById(match, accountId)));
      return last === undefined ? null : suspensionFrom(last.known, '');
    },
  };
}

/** The selector `all` has no conditions, so it matches every id. */
function matchesById({ accounts, ou, name, tags, not }: Match, accountId: AccountId): boolean {
  if ([ou, name, tags, not].some((condition) => condition !== undefined)) return false;
  return accounts?.includes(accountId) ?? true;
}

function suspensionFrom({ selector, reason, by, until }: OperatorSuspension, more: string): Suspension {
  return { reason: `suspended by ${by} (${selector})${reason === null ? '' : `: ${reason}`}${more}`, until };
}

export function haltedText({ at, by, reason }: Halt): string {
  const why = reason === null ? '' : `: ${reason}`;
  return `enforcement was halted ${toIso(at)} by ${by}${why}; to resume, run \`rollcall resume\``;
}
