import * as z from 'zod';
import { facetIn, type LastWord, replay, type Standing, standingOf, tailState } from '../../../domain/account/as-of.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../../domain/enrollment/kinds/index.ts';
import type { AccountId } from '../../../domain/enrollment/model.ts';
import { STATUSES, type Status, shownOf } from '../../../domain/enrollment/status.ts';
import { VERDICTS } from '../../../domain/enrollment/verdict.ts';
import type { PrunedPart } from '../../../domain/ledger/entry.ts';
import { mapParallel } from '../../../domain/map-parallel.ts';
import { toIso } from '../../../domain/time.ts';
import type { AccountTail, Ledger } from '../../../ports/ledger.ts';
import { entriesOf } from './all-entries.ts';

const status = z.enum(['Active', 'Inactive', 'Pending', 'Failed']);
const ruleMode = z.enum(['AnyAllowed', 'NoneAllowed']);

/** The state of one enrollment of one account at the requested time. */
export const standingAtSchema = z.object({
  accountId: z.string(),
  enrollment: z.enum(ENROLLMENT_IDS),
  verdict: z.enum(VERDICTS),
  reason: z.string().nullable(),
  status: z.enum(STATUSES),
  message: z.string().nullable(),
  observed: status.nullable(),
  observedRuleMode: ruleMode.nullable(),
  desired: z.enum(['Active', 'Inactive']).nullable(),
  desiredRuleMode: ruleMode.nullable(),
  rule: z.string().nullable(),
  since: z.string(),
});

/** The shape of `audit as-of T --json`. */
export const asOfSchema = z.object({
  at: z.string(),
  accounts: z.array(standingAtSchema),
  /** Accounts whose state is unknown, because their entries of that time have been pruned. */
  pruned: z.array(z.string()),
  /** Whether the time is in the future. The result is then the latest recorded state. */
  future: z.boolean(),
});

interface BareStanding extends Standing {
  readonly accountId: AccountId;
  readonly enrollment: EnrollmentId;
}

export interface StandingAt extends BareStanding {
  readonly status: Status;
  readonly message: string | null;
}

export interface AsOf {
  readonly at: string;
  readonly accounts: readonly StandingAt[];
  readonly pruned: readonly AccountId[];
}

/** Number of accounts that are read in parallel. */
const PARALLEL = 16;
const READ_PAGE = 500;
const WALK_PAGE = 10;

/** The verdict of every account in the organization at `at` (ISO 8601), ordered by account. Equals a replay of all chains. */
export async function auditAsOf(ledger: Ledger, at: string): Promise<AsOf> {
  const until = toIso(Date.parse(at));
  const accounts: StandingAt[] = [];
  const pruned: AccountId[] = [];
  for await (const tails of ledger.tails(until)) {
    const found = tails.map((tail) => fast(tail, until));
    await mapParallel(
      found.flatMap((each, index) => (each.kind === 'open' ? [index] : [])),
      PARALLEL,
      async (index) => {
        const tail = tails[index];
        const each = found[index];
        if (tail !== undefined && each?.kind === 'open') found[index] = await slow(ledger, tail, each.words, until);
      },
    );
    for (const [index, each] of found.entries()) {
      const accountId = tails[index]?.accountId ?? '';
      if (each.kind === 'pruned') pruned.push(accountId);
      if (each.kind === 'known') accounts.push(...withWords(each.standings));
    }
  }
  return { at: until, accounts, pruned };
}

/** @param standings all standings of one account */
function withWords(standings: readonly BareStanding[]): readonly StandingAt[] {
  const shown = shownOf((id) => standings.find(({ enrollment }) => enrollment === id) ?? null);
  return standings.flatMap((each) => {
    const words = shown[each.enrollment];
    return words === null ? [] : [{ ...each, ...words }];
  });
}

type Words = Readonly<Record<EnrollmentId, LastWord | null>>;
type Found =
  | { readonly kind: 'known'; readonly standings: readonly BareStanding[] }
  | { readonly kind: 'pruned' }
  /** Older entries are needed: to find when the verdicts in `words` began or, with `null`, to replay the whole chain. */
  | { readonly kind: 'open'; readonly words: Words | null };

const checkpointOf = ({ checkpoint }: AccountTail): PrunedPart | null => checkpoint?.detail?.checkpoint ?? null;

function fast(tail: AccountTail, until: string): Found {
  const { accountId, entries } = tail;
  const state = tailState({ accountId, entries, checkpoint: checkpointOf(tail) }, until);
  if (state.kind === 'absent') return { kind: 'known', standings: [] };
  if (state.kind === 'pruned') return state;
  if (state.kind === 'unclear') return { kind: 'open', words: null };
  const { words } = state;
  const standings: BareStanding[] = [];
  for (const enrollment of ENROLLMENT_IDS) {
    const word = words[enrollment];
    if (word === null) continue;
    const { since } = word;
    if (since === null) return { kind: 'open', words };
    standings.push({ accountId, enrollment, ...word, since });
  }
  return { kind: 'known', standings };
}

async function slow(ledger: Ledger, tail: AccountTail, words: Words | null, until: string): Promise<Found> {
  const { accountId } = tail;
  if (words === null) return { kind: 'known', standings: await replayed(ledger, tail, until) };
  const standings = await Promise.all(
    ENROLLMENT_IDS.map(async (enrollment): Promise<readonly BareStanding[]> => {
      const word = words[enrollment];
      if (word === null) return [];
      const since = word.since ?? (await beginning(ledger, tail, enrollment, word, until));
      return [{ accountId, enrollment, ...word, since }];
    }),
  );
  return { kind: 'known', standings: standings.flat() };
}

/** When the verdict at `until` began: goes back through the account's entries to one with another verdict. */
async function beginning(
  ledger: Ledger,
  tail: AccountTail,
  enrollment: EnrollmentId,
  { verdict }: LastWord,
  until: string,
): Promise<string> {
  const { accountId } = tail;
  const checkpoint = checkpointOf(tail);
  const replacedTo = checkpoint?.through.seq ?? 0;
  let since = until;
  const filter = { accountId, until: toIso(Date.parse(until) + 1) };
  for await (const entry of entriesOf(ledger, filter, { limit: WALK_PAGE })) {
    const facet = entry.chain === accountId && entry.seq > replacedTo ? facetIn(entry, enrollment) : null;
    if (facet === null) continue;
    if (facet.verdict !== verdict) return since;
    since = entry.at;
    if (entry.before !== null && entry.before.verdict !== verdict) return since;
  }
  const known = checkpoint?.state?.[enrollment] ?? null;
  return known?.verdict === verdict ? known.since : since;
}

async function replayed(ledger: Ledger, tail: AccountTail, until: string): Promise<readonly BareStanding[]> {
  const { accountId } = tail;
  const entries = [];
  for (let after = 0; ; ) {
    const page = await ledger.read(accountId, after, READ_PAGE);
    entries.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < READ_PAGE) break;
    after = last.seq;
  }
  const record = replay(accountId, checkpointOf(tail), entries, until);
  if (!record.present) return [];
  return ENROLLMENT_IDS.flatMap((enrollment) => {
    const condition = record.conditions[enrollment];
    return condition === null ? [] : [{ accountId, enrollment, ...standingOf(condition) }];
  });
}
