import type { HaltView } from '../../../shared/app/queries/enforcement-view.ts';
import type { HeldChanges } from '../../../shared/app/queries/held-changes.ts';
import type { ResumedAccounts } from '../../../shared/app/queries/resumed-accounts.ts';
import type { Output } from './output.ts';
import { oneLine } from './table.ts';
import { actorText, count, endText, instant, number } from './words.ts';
import { wrap } from './wrap.ts';

const GO_ON = 'Scans and alerts continue.';
type Width = Pick<Output, 'width' | 'program'>;

/** Nothing in the store shows whether a daemon is running, so the text covers both cases. */
export const whoActs = (program: string, isHalted: boolean): string =>
  isHalted
    ? `All changes are halted; to allow them: ${program} resume`
    : `If serve is running, it makes them; if not, run: ${program} apply`;

/** Whether changes are allowed after the end of a halt. @param changed whether changes were halted */
export function allowedLines(changed: boolean, { width, program }: Width): string[] {
  return changed ? wrap(`Changes are allowed again. ${whoActs(program, false)}`, width) : ['Changes were not halted.'];
}

interface Suspended {
  readonly selector: string;
  /** ISO 8601; `null`: until resumed. */
  readonly until: string | null;
  /** `null`: there is no scan yet. */
  readonly matched: number | null;
  /** The suspension of the same selector that was in force before. */
  readonly replaced: {
    readonly reason: string | null;
    readonly until: string | null;
    readonly at: string;
    readonly by: string;
  } | null;
}

/** `Suspended 4 accounts (ou:/Canary) until the end of 2026-12-11 UTC. …` */
export function suspendedText({ selector, until, matched, replaced }: Suspended, { width, program }: Width): string[] {
  const end = until === null ? '' : ` until ${endText(until)}`;
  return wrap(
    `Suspended ${whichText(selector, matched)}${end}.${replacedText(replaced)} ${GO_ON} To end it: ${program} resume ${selector}`,
    width,
  );
}

function replacedText(replaced: Suspended['replaced']): string {
  if (replaced === null) return '';
  const { reason, until, at, by } = replaced;
  const end = until === null ? 'without an end' : `until ${endText(until)}`;
  const because = reason === null ? '' : `: "${oneLine(reason)}"`;
  return ` It replaces a suspension ${end} (set ${instant(at)} by ${actorText(by)}${because}).`;
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
  readonly resumed: ResumedAccounts;
  /** All changes are halted, so none follows from the resumption yet. */
  readonly isHalted: boolean;
}

/** What was resumed and settled, and the drift there. */
export function resumedText(
  { selector, ended, settled, resumed, isHalted }: Resumed,
  { width, program }: Width,
): string[] {
  const halted = isHalted ? ` ${whoActs(program, true)}` : '';
  const which = whichText(selector === 'all' ? ended.join(' · ') : selector, resumed.accounts);
  return [
    ...(ended.length === 0
      ? []
      : wrap(`Resumed ${which}.${stillText(resumed)} ${foundText(resumed, isHalted)}${halted}`, width)),
    ...(settled.length === 0
      ? []
      : wrap(`Settled: ${settled.join(', ')}. Changes are allowed there again. ${whoActs(program, isHalted)}`, width)),
  ];
}

function stillText({ stillSuspended }: ResumedAccounts): string {
  if (stillSuspended === 0) return '';
  const is = stillSuspended === 1 ? 'is' : 'are';
  return ` ${count(stillSuspended, 'account')} there ${is} still suspended by another selector.`;
}

function foundText({ drifts, reportedOnly }: ResumedAccounts, isHalted: boolean): string {
  if (drifts === 0) return 'No drift there.';
  const found = `${count(drifts, 'drift')} there`;
  if (reportedOnly === null) return `${found}, as of the last scan.`;
  if (reportedOnly === drifts) return `${found}, reported only (mode: alert).`;
  const fixes = `the next run fixes ${drifts === 1 ? 'it' : 'them'}`;
  if (reportedOnly === 0) return isHalted ? `${found}.` : `${found}; ${fixes}.`;
  return `${found}: ${number(drifts - reportedOnly)} to fix, ${number(reportedOnly)} reported only (mode: alert).`;
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
