import type { EntryType } from './entry-types.ts';

/** Types whose own words would not say what happened. Their names stay in events and in JSON. */
const TITLES: Readonly<Partial<Record<EntryType, string>>> = {
  RemediationSucceeded: 'Change accepted by AWS',
  ConvergenceStalled: 'Not confirmed in time',
  FlapDetected: 'Contested',
  VerdictChanged: 'Status changed',
  EnforcementHalted: 'Halted',
  EnforcementResumed: 'Halt ended',
  ChainPruned: 'Older entries pruned',
};

/** What an entry records, in words: `Drift detected`. The same in terminal and dashboard. */
export function entryTitle(type: EntryType): string {
  const words = type.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return TITLES[type] ?? `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** The title within a sentence: `drift detected`. */
export function titleInSentence(type: EntryType): string {
  const title = entryTitle(type);
  return `${title.charAt(0).toLowerCase()}${title.slice(1)}`;
}
