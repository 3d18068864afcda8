/** Reports windows that never open, contradict each other, or have no effect. */

import { compileWindows, HORIZON_MS, startsOf } from '../change-windows.ts';
import { type Finding, findingAt } from '../file/findings.ts';
import type { EnforcementWindow, Policy } from '../types.ts';

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
    window.kind === 'allow' ? isDenied(window, undenied, now) : isIdle(window, allow, now),
  );
  const never =
    allow.length === 0 ? permanent(deny, undenied, now) : allow.every((window) => idle[windows.indexOf(window)]);
  if (never) return [neverOpen(policy, allow.length === 0)];
  return windows.flatMap((window, i) => (idle[i] ? [idleWindow(policy, window, i)] : []));
}

type Evaluated = ReturnType<typeof compileWindows>;

/** Whether deny windows fully cover the next occurrences of an allow window. */
function isDenied(window: EnforcementWindow, undenied: Evaluated, now: number): boolean {
  const starts = startsOf(window, now, OCCURRENCES);
  return starts.every((start) => {
    const opening = undenied.nextOpening(start);
    return opening === null || opening >= start + window.durationMs;
  });
}

/** Whether the next occurrences of a deny window overlap no allow window. */
function isIdle(window: EnforcementWindow, allow: readonly EnforcementWindow[], now: number): boolean {
  if (allow.length === 0) return false;
  const allowed = compileWindows(allow);
  return startsOf(window, now, OCCURRENCES).every((start) => {
    const opening = allowed.nextOpening(start);
    return opening === null || opening >= start + window.durationMs;
  });
}

/** How often the search continues in a closed period that is too long for one search. */
const MAX_SEARCHES = 20;
const DAYS_3_MS = 3 * 24 * 60 * 60 * 1000;

/**
 * Whether the deny windows leave no gap within the horizon or, if they are the same every day, in many consecutive days. False if neither can be shown.
 */
function permanent(deny: readonly EnforcementWindow[], undenied: Evaluated, now: number): boolean {
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

function idleWindow(policy: Policy, { kind }: EnforcementWindow, index: number): Finding {
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
