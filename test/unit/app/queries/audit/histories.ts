import fc from 'fast-check';
import { type AccountRecord, emptyRecord, foldEntry } from '../../../../../shared/domain/account/record.ts';
import { facetOfCondition } from '../../../../../shared/domain/account/transition.ts';
import type { Facet } from '../../../../../shared/domain/enrollment/condition.ts';
import { byKind, ENROLLMENT_IDS, type EnrollmentId } from '../../../../../shared/domain/enrollment/kinds/index.ts';
import type { EntryDraft, LedgerEntry } from '../../../../../shared/domain/ledger/entry.ts';
import { EMPTY_CHAIN, headOf, sealEntry } from '../../../../../shared/domain/ledger/entry.ts';
import { account, draft, FACET, time } from '../../../../contract/samples.ts';

/** What may happen to an account; how long after what happened before, ms. */
export type Happening =
  | { readonly after: number; readonly kind: 'joins' | 'leaves' | 'suspended' | 'resumed' }
  | {
      readonly after: number;
      readonly kind: 'seen';
      readonly enrollment: EnrollmentId;
      readonly verdict: Facet['verdict'];
      readonly silent: boolean;
    };

const VERDICTS = ['Compliant', 'Drifted', 'Converging', 'Blocked', 'Unmanaged', 'Unknown'] as const;

const after = fc.constantFrom(0, 0, 1, 60_000, 3_600_000, 86_400_000);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      after,
      kind: fc.constantFrom('leaves' as const, 'suspended' as const, 'resumed' as const, 'joins' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      ...{ after, kind: fc.constant('seen' as const), enrollment: fc.constantFrom(...ENROLLMENT_IDS) },
      ...{ verdict: fc.constantFrom(...VERDICTS), silent: fc.boolean() },
    }),
  },
);

/** What happened to each of a few accounts, from the time that they joined. */
export const histories: fc.Arbitrary<readonly (readonly Happening[])[]> = fc.array(
  fc
    .array(happening, { maxLength: 14 })
    .map((rest): readonly Happening[] => [{ after: 1_000, kind: 'joins' }, ...rest]),
  { minLength: 1, maxLength: 4 },
);

const facetOf = (verdict: Facet['verdict']): Facet => ({
  ...FACET,
  ...{ verdict, reason: verdict === 'Compliant' ? null : 'statusDiffers' },
  status: verdict === 'Compliant' ? 'Active' : 'Inactive',
});

/** The entries that a use case would have written of it, each with what stood before. */
export function entriesOf(n: number, happenings: readonly Happening[]): readonly LedgerEntry[] {
  const chain = account(n);
  const entries: LedgerEntry[] = [];
  let record = emptyRecord(chain);
  let at = 0;
  for (const [index, each] of happenings.entries()) {
    at += each.after;
    const parts = partsOf(each, record);
    if (parts === null) continue;
    const last = entries.at(-1);
    const body = draft({ chain, id: `${chain}-${index}`, at: time(at), ...parts });
    const entry = sealEntry(body, last === undefined ? EMPTY_CHAIN : headOf(last));
    entries.push(entry);
    record = foldEntry(record, entry);
  }
  return entries;
}

function partsOf(each: Happening, record: AccountRecord): Partial<EntryDraft> | null {
  const about = { enrollment: null };
  if (each.kind === 'joins') {
    if (record.present) return null;
    const facets = { ...byKind(() => facetOf('Unmanaged')), computeOptimizer: facetOf('Compliant') };
    return {
      ...about,
      type: 'AccountJoined',
      detail: { facets, rules: { ...byKind(() => 'defaults'), computeOptimizer: 'r' } },
    };
  }
  if (!record.present) return null;
  if (each.kind === 'leaves') {
    const gone = facetOf('NotApplicable');
    return { ...about, type: 'AccountLeft', detail: { facets: byKind(() => gone) } };
  }
  if (each.kind === 'suspended') return { ...about, type: 'AccountSuspended' };
  if (each.kind !== 'seen') return { ...about, type: 'AccountResumed' };
  const { enrollment, verdict, silent } = each;
  const condition = record.conditions[enrollment];
  const before = condition === null || silent ? null : facetOfCondition(condition);
  // A drift is detected once: while it is open, further findings are changes of it.
  const open = (condition?.driftSince ?? null) !== null;
  const drifted = open ? 'VerdictChanged' : 'DriftDetected';
  const type = verdict === 'Drifted' ? drifted : verdict === 'Compliant' ? 'DriftResolved' : 'VerdictChanged';
  return { enrollment, type, before, after: facetOf(verdict), rule: 'production' };
}
