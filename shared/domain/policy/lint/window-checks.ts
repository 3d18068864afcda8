/** Reports windows that never open, contradict each other, or have no effect. */

import { compileWindows, HORIZON_MS, startsOf, type WindowSpec, type Windows } from '../change-windows.ts';
import { type Finding, findingAt } from '../file/findings.ts';
import type { Policy } from '../types.ts';

/** How many occurrences of a window are checked: more than a year of weekly ones. */
const OCCURRENCES = 60;

/** @param now epoch ms; occurrences from then on are checked. */
export function windowFindings(policy: Policy, now: number): Finding[] {
  const windows = policy.windows ?? [];
  const allow = windows.filter(({ kind }) => kind === 'allow');
  const deny = windows.filter(({ kind }) => kind === 'deny');
  if (deny.length === 0) return [];
  const undenied = compileWindows(deny);
  const idle = windows.map((window) =>
    window.kind === 'allow'
      ? neverOpenDuring(window, undenied, now)
      : allow.length > 0 && neverOpenDuring(window, compileWindows(allow), now),
  );
  const never =
    allow.length === 0 ? permanent(deny, undenied, now) : allow.every((window) => idle[windows.indexOf(window)]);
  if (never) return [neverOpen(policy, allow.length === 0)];
  return windows.flatMap((window, i) => (idle[i] ? [idleWindow(policy, window, i)] : []));
}

/** Whether `others` have no open moment during the next occurrences of `window`. */
function neverOpenDuring(window: WindowSpec, others: Windows, now: number): boolean {
  return startsOf(window, now, OCCURRENCES).every((start) => {
    const opening = others.nextOpening(start);
    return opening === null || opening >= start + window.durationMs;
  });
}

/** How often the search continues in a closed period that is too long for one search. */
const MAX_SEARCHES = 20;
const DAYS_3_MS = 3 * 24 * 60 * 60 * 1000;

/** Whether the deny windows certainly leave no gap. Checked up to the horizon or, if they repeat daily, for three days. */
function permanent(deny: readonly WindowSpec[], undenied: Windows, now: number): boolean {
  let at = now;
  for (let i = 0; i < MAX_SEARCHES && at <= now + HORIZON_MS; i += 1) {
    const opening = undenied.nextOpening(at);
    if (opening === null) return true;
    if (undenied.isOpen(opening)) return false;
    at = opening;
  }
  const daily = deny.every(({ cron }) => cron.endsWith(' * * *'));
  return at > now + HORIZON_MS || (daily && at > now + DAYS_3_MS);
}

function neverOpen(policy: Policy, onlyDeny: boolean): Finding {
  return findingAt(policy.source, 'windows', {
    severity: 'error',
    message: 'contradiction: no change window ever opens, so Rollcall would never make a change',
    found: onlyDeny ? 'deny windows without a gap' : 'allow windows that deny windows fully cover',
    expected: 'a time at which Rollcall may make changes',
    hint: 'Where a deny window covers it, nothing is open. To change nothing at all, use `mode: alert` in `defaults`.',
  });
}

function idleWindow(policy: Policy, { kind }: WindowSpec, index: number): Finding {
  const allow = kind === 'allow';
  return findingAt(policy.source, `windows[${index}]`, {
    severity: 'warning',
    message: allow
      ? 'this allow window never opens: deny windows cover all of it'
      : 'this deny window has no effect: it never meets an allow window',
    found: `none of its next ${OCCURRENCES} occurrences ${allow ? 'is open' : 'closes anything'}`,
    expected: allow ? 'an allow window that is open at some time' : 'a deny window inside an allow window',
    hint: 'Compare the hours and time zones, or remove it.',
  });
}
