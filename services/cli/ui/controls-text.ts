import type { HaltView } from '../../../shared/app/queries/enforcement-view.ts';
import type { HeldChanges } from '../../../shared/app/queries/held-changes.ts';
import type { SelectedDrift } from '../../../shared/app/queries/selected-drift.ts';
import type { Output } from './output.ts';
import { oneLine } from './table.ts';
import { actorText, count, endText, instant } from './words.ts';
import { wrap } from './wrap.ts';

const GO_ON = 'Scans and alerts continue.';
type Width = Pick<Output, 'width' | 'program'>;

export const allowedText = (program: string): string => `Changes are allowed again. Now run: ${program} apply`;

interface Suspended {
  readonly selector: string;
  /** ISO 8601; `null`: until resumed. */
  readonly until: string | null;
  /** `null`: there is no scan yet. */
  readonly matched: number | null;
}

/** `Suspended 4 accounts (ou:/Canary) until the end of 2026-12-11 UTC. …` */
export function suspendedText({ selector, until, matched }: Suspended, { width, program }: Width): string[] {
  const end = until === null ? '' : ` until ${endText(until)}`;
  return wrap(
    `Suspended ${whichText(selector, matched)}${end}. ${GO_ON} To end it: ${program} resume ${selector}`,
    width,
  );
}

function whichText(selector: string, accounts: number | null): string {
  return accounts === null ? oneLine(selector) : `${count(accounts, 'account')} (${oneLine(selector)})`;
}

interface Resumed {
  readonly selector: string;
  /** What was suspended. */
  readonly ended: readonly string[];
  /** What was contested: account ids, and selectors of OUs. */
  readonly settled: readonly string[];
  readonly drift: SelectedDrift;
}

/** What was resumed and settled, and the drift there. */
export function resumedText({ selector, ended, settled, drift }: Resumed, { width, program }: Width): string[] {
  const { accounts, drifts } = drift;
  const found =
    drifts === 0
      ? 'No drift there.'
      : `${count(drifts, 'drift')} there; the next run fixes ${drifts === 1 ? 'it' : 'them'}.`;
  return [
    ...(ended.length === 0
      ? []
      : wrap(`Resumed ${whichText(selector === 'all' ? ended.join(' · ') : selector, accounts)}. ${found}`, width)),
    ...(settled.length === 0
      ? []
      : wrap(`Settled: ${settled.join(', ')}. The policy is enforced there again. Now run: ${program} apply`, width)),
  ];
}

export function haltedSince(
  { at, by, reason }: NonNullable<HaltView>,
  width: number | null,
  since = 'Halted since',
): string[] {
  const because = reason === null ? '' : `: "${oneLine(reason)}"`;
  return wrap(`${since} ${instant(at)} by ${actorText(by)}${because}`, width);
}

export function haltedNow({ style, width, program }: Pick<Output, 'style' | 'width' | 'program'>): string[] {
  const text = `HALTED. No more changes start; calls already sent will finish. ${GO_ON} To allow changes: ${program} resume`;
  return wrap(text, width).map((line) => style('red', line));
}

/** `5 changes to 3 accounts are due.` */
export function dueText({ changes, accounts }: HeldChanges): string {
  if (changes === 0) return 'No change is due.';
  return `${count(changes, 'change')} to ${count(accounts, 'account')} ${changes === 1 ? 'is' : 'are'} due.`;
}
