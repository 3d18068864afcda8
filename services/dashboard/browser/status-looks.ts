import { STATUSES, type Status } from '../../../shared/domain/enrollment/status.ts';

export type Tone = 'compliant' | 'attention' | 'drifted' | 'progress' | 'waiting' | 'unknown' | 'quiet';
export type MarkName = Exclude<Tone, 'quiet'> | 'suspended' | 'exempt' | 'unmanaged' | 'na';

/** The tone gives the colour. The marks also differ in shape. */
export interface Look {
  readonly mark: MarkName;
  readonly tone: Tone;
}

const LOOKS: Readonly<Record<Status, Look>> = {
  'Needs attention': { mark: 'attention', tone: 'attention' },
  Drifted: { mark: 'drifted', tone: 'drifted' },
  'In progress': { mark: 'progress', tone: 'progress' },
  Waiting: { mark: 'waiting', tone: 'waiting' },
  Unknown: { mark: 'unknown', tone: 'unknown' },
  Suspended: { mark: 'suspended', tone: 'quiet' },
  Exempt: { mark: 'exempt', tone: 'quiet' },
  Compliant: { mark: 'compliant', tone: 'compliant' },
  Unmanaged: { mark: 'unmanaged', tone: 'quiet' },
  'Not applicable': { mark: 'na', tone: 'quiet' },
};

const statusNamed = (word: string): Status | undefined => STATUSES.find((each) => each === word);
/** The mark and tone of a status word; those of Unknown for a word of another version. */
export const looksOf = (word: string): Look => LOOKS[statusNamed(word) ?? 'Unknown'];
