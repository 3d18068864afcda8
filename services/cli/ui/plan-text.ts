import type { PlanDocument } from '../../../shared/app/queries/plan-document.ts';
import type { Change, PlannedCall } from '../../../shared/domain/decision/plan.ts';
import { type PlanTotals, totalChanges } from '../../../shared/domain/decision/plan-totals.ts';
import { ORGANIZATION_WIDE, TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { reasonText } from '../../../shared/domain/enrollment/reason-codes.ts';
import type { Output, Style } from './output.ts';
import { configurationsText } from './plan-configurations.ts';
import { paintStatus, statusTable } from './statuses.ts';
import { oneLine, table } from './table.ts';
import { count, instant, number, partsText, stateText } from './words.ts';

export interface PlanTextOptions extends Pick<Output, 'style' | 'width'> {
  /** Lists every change, not only the first ones. */
  readonly all: boolean;
}

/** Up to this many changes are listed individually. */
const FEW = 40;
/** A longer list is grouped, with this many individual changes. */
const FIRST = 20;

export function planText(plan: PlanDocument, options: PlanTextOptions): string[] {
  const { style } = options;
  const { coverage, changes } = plan;
  const lines = [
    `Organization ${plan.organizationId}, plan ${plan.planHash.slice(0, 12)}, policy ${plan.policyHash.slice(0, 12)}`,
    '',
    ...statusTable(plan.statuses, style),
    '',
    `Coverage: status known for ${number(coverage.evaluated)} of ${number(coverage.evaluated + coverage.unknown)} active accounts, ` +
      `${number(coverage.notApplicable)} are not active.`,
    ...plan.broken.map((sentence) => `${style('yellow', 'Incomplete:')} ${oneLine(sentence)}.`),
    '',
  ];
  const settings = configurationsText(plan.configurations, plan.planHash, options);
  if (changes.length === 0) {
    return [...lines, style('green', 'All managed accounts comply with the policy.'), ...settings];
  }
  return [...lines, ...changesText(changes, options), ...settings, '', ...consequences(plan, style)];
}

function changesText(changes: readonly Change[], options: PlanTextOptions): string[] {
  if (options.all || changes.length <= FEW) return changeTable(changes, options);
  return [
    ...kindsTable(changes, options),
    '',
    `The first ${FIRST} of ${number(changes.length)}:`,
    ...changeTable(changes.slice(0, FIRST), options),
    `… and ${number(changes.length - FIRST)} more: use --all, --json or --out FILE.`,
  ];
}

function changeTable(changes: readonly Change[], { style, width }: PlanTextOptions): string[] {
  const columns = [
    { title: 'ACCOUNT' },
    { title: 'NAME', shrinks: true, dropOrder: 2 },
    { title: 'OU', shrinks: true, dropOrder: 1 },
    { title: 'ENROLLMENT' },
    { title: 'OBSERVED → DESIRED' },
    { title: 'STATUS', paint: (text: string) => paintStatus(style, text) },
    { title: 'ACTION', shrinks: true },
    { title: 'RULE', shrinks: true, dropOrder: 3 },
    { title: 'REASON', shrinks: true, dropOrder: 4 },
  ];
  const rows = changes.map((change) => [
    change.accountId,
    change.accountName,
    change.ou,
    TITLES[change.enrollment],
    transitionText(change),
    change.status,
    actionText(change),
    change.rule,
    whyText(change),
  ]);
  return table(columns, rows, width);
}

/** Changes that differ only in the account as one row, the most frequent first. */
function kindsTable(changes: readonly Change[], { style, width }: PlanTextOptions): string[] {
  const texts = changes.map((change) => {
    const { enrollment, status, rule, reason } = change;
    return [TITLES[enrollment], transitionText(change), status, actionText(change), rule, reasonText(reason) ?? ''];
  });
  const alike = [...Map.groupBy(texts, (row) => row.join('\n')).values()].sort((a, b) => b.length - a.length);
  const columns = [
    { title: 'ACCOUNTS', align: 'right' as const },
    { title: 'ENROLLMENT' },
    { title: 'OBSERVED → DESIRED' },
    { title: 'STATUS', paint: (text: string) => paintStatus(style, text) },
    { title: 'ACTION', shrinks: true },
    { title: 'RULE', shrinks: true, dropOrder: 1 },
    { title: 'REASON', shrinks: true, dropOrder: 2 },
  ];
  const rows = alike.map((group) => [number(group.length), ...(group[0] ?? [])]);
  return table(columns, rows, width);
}

function transitionText(change: Change): string {
  const { observed, observedRuleMode, desired, desiredRuleMode } = change;
  const modes = desiredRuleMode !== null;
  const from = stateText(observed, modes ? observedRuleMode : null);
  return `${from} → ${stateText(desired ?? observed, desiredRuleMode)}`;
}

function actionText({ action, scope, optOut }: Change): string {
  if (action === 'none') return 'none';
  return `${action} (${scope})${optOut ? ' opt-out' : ''}`;
}

function whyText({ notBefore, message }: Change): string {
  const when = notBefore === null ? '' : `, not before ${instant(notBefore)}`;
  return `${message ?? ''}${when}`;
}

/** The number of AWS calls that the plan needs, and everything that stops or delays them. */
function consequences(plan: PlanDocument, style: Style): string[] {
  const { guardrail, organizationWide, otherOrganizationWide = [], calls } = plan;
  const guard = guardrail.tripped
    ? `${style('red', 'A guardrail would stop apply')}: ${guardrail.reason}: ${guardrail.message}.`
    : 'No guardrail would stop apply.';
  const [first] = ORGANIZATION_WIDE;
  const wide = [...(first === undefined ? [] : [{ enrollment: first, ...organizationWide }]), ...otherOrganizationWide];
  const note = wide
    .filter(({ accounts }) => accounts > 0)
    .map((call) => {
      const kind = otherOrganizationWide.length === 0 ? '' : ` for ${TITLES[call.enrollment]}`;
      return `Organization-wide call${kind}: ${orgWideText(call)}.`;
    });
  const { rollout } = plan;
  const held = rollout === null ? [] : [`Held back: ${count(rollout.held, 'change')}: ${rollout.message}.`];
  const { approval } = plan;
  const lifted =
    approval === null
      ? []
      : [
          `Approved: plan ${approval.planHash.slice(0, 12)} by ${approval.actor}, until ${instant(approval.expiresAt)}: ` +
            'the next run makes the changes that are in that plan.',
        ];
  return [...callsText(calls), guard, ...lifted, ...held, ...note, '', totalsText(plan.totals)];
}

/** The last line of a plan. The confirmation prompt and the run's summary use the same numbers. */
function totalsText(totals: PlanTotals): string {
  const parts = partsText(totals);
  const changes = `${count(totalChanges(totals), 'change')}${parts === null ? '' : ` (${parts})`}`;
  return `Plan: ${changes}, ${count(totals.optOuts, 'opt-out')}, ${count(totals.calls, 'call')}`;
}

function orgWideText({ used, note }: PlanDocument['organizationWide']): string {
  return used ? `used; ${note}` : `not used; ${note}`;
}

function callsText(calls: readonly PlannedCall[]): string[] {
  if (calls.length === 0) return ['No change is possible now.'];
  // Services may have operations of the same name.
  const isShared = ({ enrollment, operation }: PlannedCall): boolean =>
    calls.some((other) => other.operation === operation && other.enrollment !== enrollment);
  return [`Calls: ${calls.map((call) => callText(call, isShared(call))).join(', ')}.`];
}

function callText({ enrollment, operation, scope, accounts, calls }: PlannedCall, withKind: boolean): string {
  const times = `${number(calls)} ${operation}${withKind ? ` of ${TITLES[enrollment]}` : ''}`;
  if (scope === 'organization')
    return `${times} for the whole organization (${count(accounts, 'account')} not yet Active)`;
  if (scope === 'configuration') return `${times} (${count(accounts, 'account')})`;
  if (scope === 'batch') return `${times} (${count(accounts, 'account')}, up to 50 a call)`;
  return scope === 'own' ? `${times} (own account)` : `${times} (one for each account)`;
}
