import { type PlanTotals, totalChanges } from '../../../shared/domain/decision/plan-totals.ts';
import { PREREQUISITE_TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';

export function count(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

export function number(n: number): string {
  // Loading the locale data takes 3% of a short command.
  if (Number.isInteger(n) && n >= 0 && n < 1_000) return String(n);
  return n.toLocaleString('en-US');
}

/** A duration for people: `850ms`, `12.3s`, `4m 05s`, `3h 20m`, `2d 4h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes}m ${pad(Math.floor((ms % 60_000) / 1_000))}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h ${pad(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

function pad(n: number): string {
  return String(n).padStart(2, '0');
}

/** A time as ISO 8601 to the second, UTC. */
export function instant(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}

export function ago(iso: string, now: number): string {
  const ms = now - Date.parse(iso);
  return ms >= 0 ? `${duration(ms)} ago` : `in ${duration(-ms)}`;
}

/** `202 now, 88 after Compute Optimizer`; `null` if there are no follow-ups, so that the total is enough. */
export function partsText({ now, followUps }: Pick<PlanTotals, 'now' | 'followUps'>): string | null {
  if (followUps === 0) return null;
  return `${number(now)} now, ${number(followUps)} after ${PREREQUISITE_TITLES}`;
}

/** `290 changes: 202 now, 88 after Compute Optimizer`. The dashboard shows the same text. */
export function changesText(totals: Pick<PlanTotals, 'now' | 'followUps'>): string {
  const parts = partsText(totals);
  return `${count(totalChanges(totals), 'change')}${parts === null ? '' : `: ${parts}`}`;
}

/** A status, followed by the rule mode if it is known. */
export function stateText(status: string | null, ruleMode: string | null): string {
  return [status ?? (ruleMode === null ? '?' : ''), ruleMode].filter((part) => part !== null && part !== '').join('/');
}
