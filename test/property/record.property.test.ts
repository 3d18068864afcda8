import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withDetection } from '../../shared/domain/account/drift-detection.ts';
import { type AccountRecord, emptyRecord, foldEntry } from '../../shared/domain/account/record.ts';
import {
  accountEntry,
  type EntryContext,
  facetOfCondition,
  joined,
  left,
  transition,
} from '../../shared/domain/account/transition.ts';
import type { Condition } from '../../shared/domain/enrollment/condition.ts';
import { ENROLLMENT_IDS, type EnrollmentId } from '../../shared/domain/enrollment/kinds/index.ts';
import { isDrift } from '../../shared/domain/enrollment/verdict.ts';
import { EMPTY_CHAIN, type EntryDraft, headOf, type LedgerEntry, sealEntry } from '../../shared/domain/ledger/entry.ts';
import { HOUR, iso, judged, MEMBER, MEMBER_ID, NOW } from '../support/domain-kit.ts';
import { anyObservation, anyPolicy } from './arbitraries.ts';

/** The events of an account, in sequence. */
const anyEvent = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('look' as const),
      policy: anyPolicy,
      computeOptimizer: anyObservation,
      automation: anyObservation,
      suspended: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('claim' as const), enrollment: fc.constantFrom(...ENROLLMENT_IDS) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('close' as const),
      enrollment: fc.constantFrom(...ENROLLMENT_IDS),
      how: fc.constantFrom('succeeded', 'retrying', 'deadLettered', 'blocked'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'leave' as const }) },
);
type Event = typeof anyEvent extends fc.Arbitrary<infer T> ? T : never;

function close(context: EntryContext, record: AccountRecord, enrollment: EnrollmentId, how: string): EntryDraft[] {
  const condition = record.conditions[enrollment];
  if (condition?.claim == null) return [];
  const before = facetOfCondition(condition);
  const endings = {
    succeeded: ['RemediationSucceeded', 'Converging', 'acted'],
    retrying: ['RemediationFailed', 'Drifted', 'retrying'],
    deadLettered: ['RemediationFailed', 'Drifted', 'deadLettered'],
    blocked: ['RemediationBlocked', 'Blocked', 'denied'],
  } as const;
  const [type, verdict, reason] =
    endings[how === 'succeeded' || how === 'retrying' || how === 'blocked' ? how : 'deadLettered'];
  const detail = { intentId: condition.claim.entryId, optOut: condition.claim.optOut };
  return [
    accountEntry(context, type, MEMBER_ID, enrollment, { before, after: { ...before, verdict, reason }, detail }),
  ];
}

function draftsOf(context: EntryContext, record: AccountRecord, event: Event): EntryDraft[] {
  switch (event.kind) {
    case 'look': {
      const assessments = judged({ ...event, record, now: context.now });
      if (!record.present) return [joined(context, MEMBER, assessments)];
      return ENROLLMENT_IDS.flatMap((name) => transition(context, record, assessments[name]) ?? []);
    }
    case 'claim': {
      const condition = record.conditions[event.enrollment];
      if (condition === null || condition.claim !== null || condition.verdict !== 'Drifted') return [];
      const after = facetOfCondition(condition);
      const detail = { claimExpiresAt: iso(context.now + 60_000), optOut: false };
      return [accountEntry(context, 'RemediationStarted', MEMBER_ID, event.enrollment, { after, detail })];
    }
    case 'close':
      return close(context, record, event.enrollment, event.how);
    case 'leave':
      return record.present ? [left(context, record)] : [];
  }
}

/** Applies events. @returns the chain, and the record folded entry by entry */
function live(events: readonly Event[]): { readonly chain: readonly LedgerEntry[]; readonly record: AccountRecord } {
  let ids = 0;
  let record = emptyRecord(MEMBER_ID);
  const chain: LedgerEntry[] = [];
  events.forEach((event, index) => {
    const now = NOW + index * HOUR;
    const policyHash = event.kind === 'look' ? event.policy.hash : null;
    const newId = () => `id-${ids++}`;
    const context = { newId, now, actor: 'rollcall', runId: 'run', policyHash };
    for (const draft of draftsOf(context, record, event).flatMap((each) => withDetection(record, each, newId))) {
      const last = chain.at(-1);
      const entry = sealEntry(draft, last === undefined ? EMPTY_CHAIN : headOf(last));
      chain.push(entry);
      record = foldEntry(record, entry);
    }
  });
  return { chain, record };
}

function checkDrift(entry: LedgerEntry, before: Condition | null, after: Condition | null): void {
  const open = before?.driftSince ?? null;
  const next = after?.driftSince ?? null;
  if (entry.type === 'DriftDetected') {
    expect(open).toBeNull();
    expect(next).toBe(entry.at);
  } else if (open === null) {
    // A drift only begins with `DriftDetected`.
    expect(next).toBeNull();
  }
  if (entry.type === 'DriftResolved') expect(open).not.toBeNull();
  if (after?.verdict === 'Compliant') expect(next).toBeNull();
}

const ENDED: ReadonlySet<string> = new Set(['Compliant', 'NotApplicable', 'Unmanaged', 'Exempt', 'Suspended']);

/** Entries that record a drift of an account in the organization before `DriftDetected`, derived from the entries only. */
function undetected(chain: readonly LedgerEntry[], name: EnrollmentId): readonly string[] {
  let detected = false;
  let present = false;
  return chain.flatMap(({ seq, type, enrollment, after, detail }) => {
    if (type === 'AccountJoined' || type === 'AccountLeft') present = type === 'AccountJoined';
    const facet = enrollment === name ? after : (detail?.facets?.[name] ?? null);
    if (facet === null) return [];
    detected = (detected || type === 'DriftDetected') && !ENDED.has(facet.verdict);
    return present && isDrift(facet.verdict) && !detected ? [`${seq} ${type}`] : [];
  });
}

const anyLife = fc.array(anyEvent, { maxLength: 30 });

describe('a record', () => {
  it('is the fold of its chain: a replay from JSON, whole or in parts, gives the same', () => {
    fc.assert(
      fc.property(anyLife, fc.nat({ max: 30 }), (events, cut) => {
        const { chain, record } = live(events);
        const stored: readonly LedgerEntry[] = JSON.parse(JSON.stringify(chain));
        const replayed = stored.reduce(foldEntry, emptyRecord(MEMBER_ID));
        expect(replayed).toEqual(record);
        const half: AccountRecord = JSON.parse(
          JSON.stringify(stored.slice(0, cut).reduce(foldEntry, emptyRecord(MEMBER_ID))),
        );
        expect(stored.slice(cut).reduce(foldEntry, half)).toEqual(record);
      }),
      { numRuns: 300 },
    );
  });

  it('begins a drift only if none is open, and ends one only if it is open', () => {
    fc.assert(
      fc.property(anyLife, (events) => {
        let record = emptyRecord(MEMBER_ID);
        for (const entry of live(events).chain) {
          const next = foldEntry(record, entry);
          if (entry.enrollment !== null)
            checkDrift(entry, record.conditions[entry.enrollment], next.conditions[entry.enrollment]);
          record = next;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of an account in the organization has an open drift exactly while one is observed, whatever delays the fix', () => {
    fc.assert(
      fc.property(anyLife, (events) => {
        let record = emptyRecord(MEMBER_ID);
        for (const entry of live(events).chain) {
          record = foldEntry(record, entry);
          for (const name of ENROLLMENT_IDS) {
            const { verdict, driftSince } = record.conditions[name] ?? { verdict: 'NotApplicable', driftSince: null };
            if (isDrift(verdict)) expect(driftSince).not.toBeNull();
            if (ENDED.has(verdict)) expect(driftSince).toBeNull();
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has no drift, delayed, stalled or given up, without an earlier detection in its chain', () => {
    fc.assert(
      fc.property(anyLife, (events) => {
        const { chain } = live(events);
        for (const name of ENROLLMENT_IDS) expect(undetected(chain, name)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('does not change if the same observation is repeated immediately', () => {
    fc.assert(
      fc.property(anyLife, (events) => {
        const looks = events.filter((event) => event.kind === 'look');
        const last = looks.at(-1);
        if (last === undefined) return;
        const { record } = live([...events, last, last, last]);
        const context = { newId: () => 'id', now: NOW + (events.length + 2) * HOUR, actor: 'a', runId: null };
        const assessments = judged({ ...last, record, now: context.now });
        for (const name of ENROLLMENT_IDS) {
          expect(transition({ ...context, policyHash: last.policy.hash }, record, assessments[name])).toBeNull();
        }
      }),
      { numRuns: 300 },
    );
  });
});
