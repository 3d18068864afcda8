import type { AccountView } from '../../../shared/app/queries/account-view.ts';
import { explainStatus } from '../../../shared/domain/enrollment/explain-status.ts';
import { sourceText } from '../../../shared/domain/enrollment/governing-configuration.ts';
import { type EnrollmentId, kindsInUse, TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Status } from '../../../shared/domain/enrollment/status.ts';
import { haltText, rolloutText, windowText } from './enforcement-text.ts';
import { historyLines } from './entries.ts';
import type { Output } from './output.ts';
import { paintStatus } from './statuses.ts';
import { oneLine, table } from './table.ts';
import { actorText, age, count, endText, instant } from './words.ts';
import { hang, wrap } from './wrap.ts';

type Condition = NonNullable<AccountView['enrollments'][EnrollmentId]>;
type Terminal = Pick<Output, 'style' | 'width' | 'program'>;

/** One account: what stops changes to it, each enrollment with its reason and what to do, and its history. */
export function accountText(view: AccountView, output: Terminal, now: number): string[] {
  const { enrollments, timeline, next } = view;
  const kinds = kindsInUse((id) => enrollments[id] !== null);
  return [
    ...hang('', output.style('bold', headingText(view)), null),
    ...tagsText(view.account?.tags ?? null, output),
    ...enforcementText(view, output, now),
    ...kinds.flatMap(({ id }) => enrollmentText(view, id, output, now)),
    `History (rollcall audit list --account ${view.accountId})`,
    ...(timeline.length === 0 ? ['  No entries.'] : historyLines(timeline, output.width)),
    ...(next === null ? [] : ['  and older entries']),
  ];
}

function headingText({ accountId, account }: AccountView): string {
  if (account === null) return `${accountId} · not in the last snapshot of the organization`;
  const { name, ou, state, management } = account;
  const more = [...(state === 'ACTIVE' ? [] : [state]), ...(management ? ['the management account'] : [])];
  return [oneLine(name), accountId, oneLine(ou), ...more].join(' · ');
}

function tagsText(tags: Readonly<Record<string, string>> | null, { width }: Terminal): string[] {
  const pairs = Object.entries(tags ?? {});
  if (pairs.length === 0) return [];
  return wrap(`Tags: ${pairs.map(([key, value]) => oneLine(`${key}=${value}`)).join(', ')}`, width, 2);
}

/** Everything that currently prevents a change to the account, whatever its status was at the last scan. */
function enforcementText(
  { rollout, halted, suspension, window }: AccountView,
  output: Terminal,
  now: number,
): string[] {
  const until = suspension?.until == null ? 'until resumed' : `until ${endText(suspension.until)}`;
  const opening = window?.open === false ? windowText(window, now) : null;
  return [
    ...haltText(halted, 0, output),
    ...(rollout === null ? [] : wrap(rolloutText(rollout, output.program), output.width, 2)),
    ...(suspension === null ? [] : wrap(`Suspended ${until}: ${oneLine(suspension.message)}`, output.width, 2)),
    ...(opening === null ? [] : wrap(`Change window: ${opening}`, output.width, 2)),
  ];
}

function enrollmentText(view: AccountView, enrollment: EnrollmentId, output: Terminal, now: number): string[] {
  const condition = view.enrollments[enrollment];
  const title = TITLES[enrollment];
  if (condition === null) return [`${title}: not scanned yet`];
  const { complianceStatus, since, driftSince } = condition;
  const shown = `${paintStatus(output.style, complianceStatus)} (${age(now - Date.parse(driftSince ?? since))})`;
  const state = observedText(condition);
  return [
    ...hang('', `${title}: ${shown}.${state === '' ? '' : ` ${state}`}`, output.width, 2),
    ...sourceLines(view, condition, output),
    ...(EXPLAINED.has(complianceStatus) ? explanationLines(view, enrollment, condition, output) : []),
  ];
}

/** Other statuses need no explanation. */
const EXPLAINED: ReadonlySet<Status> = new Set<Status>([
  ...(['Needs attention', 'Drifted', 'In progress', 'Waiting', 'Unknown', 'Suspended', 'Exempt'] as const),
]);

/** `Inactive, policy: Active (defaults)`: what AWS reports, what the policy declares, and the rule that decides. */
function observedText({ status, ruleMode, desired, desiredRuleMode, rule }: Condition): string {
  const observed = status ?? 'State unknown';
  if (desired === null && desiredRuleMode === null)
    return status === null ? '' : `${observed}, not managed by the policy`;
  const by = rule === null ? '' : ` (${rule === 'defaults' ? rule : `rule ${oneLine(rule)}`})`;
  if (desiredRuleMode === null) return `${observed}, policy: ${desired}${by}`;
  const mode = ruleMode ?? 'NoneAllowed';
  if (desired === null || desired === status) return `Rule mode ${mode}, policy: ${desiredRuleMode}${by}`;
  return `${observed}, rule mode ${mode}, policy: ${desired}, ${desiredRuleMode}${by}`;
}

function sourceLines({ accountId, account }: AccountView, condition: Condition, { width }: Terminal): string[] {
  if (condition.reason === 'organizationConfiguration') return [];
  const source = sourceText(condition, accountId, account);
  return source === null ? [] : hang('  ', `Rule mode ${oneLine(source)}.`, width);
}

function explanationLines(
  view: AccountView,
  enrollment: EnrollmentId,
  condition: Condition,
  { width }: Terminal,
): string[] {
  const { accountId, account: branch } = view;
  const { complianceStatus: status, ...seen } = condition;
  const explained = explainStatus({ ...seen, enrollment, status, accountId, branch }, instant);
  if (explained === null) return [];
  const { cause, todo, steps } = explained;
  const facts = factsOf(view, enrollment, condition);
  const rows = steps.map(({ what, effect = '' }) => [what, effect]);
  return [
    ...hang('  ', [cause, ...facts].join(' '), width),
    ...(todo === '' ? [] : hang('  ', todo, width)),
    ...table([{ title: '' }, { title: '' }], rows, width, { indent: 4, titles: false }),
  ];
}

/** Who changed it last, what AWS answered, and how often Rollcall has tried. */
function factsOf({ timeline }: AccountView, enrollment: EnrollmentId, condition: Condition): string[] {
  const { reason, setBacks = [], attempts } = condition;
  const last = setBacks.at(-1);
  const failure = timeline.find((entry) => entry.enrollment === enrollment && entry.detail?.error !== undefined);
  const answered = FAILURES.has(reason) ? (failure?.detail?.error?.message ?? null) : null;
  return [
    ...(reason === 'contested' && last !== undefined
      ? [`Last change: ${last.by === null ? 'actor unknown' : actorText(last.by)}, ${instant(last.at)}.`]
      : []),
    ...(answered === null ? [] : [`AWS answered: ${oneLine(answered).replace(/\.$/, '')}.`]),
    ...(attempts === 0 ? [] : [`${count(attempts, 'failed attempt')}.`]),
  ];
}

const FAILURES: ReadonlySet<string | null> = new Set(['denied', 'deadLettered', 'retrying', 'enrollmentFailed']);
