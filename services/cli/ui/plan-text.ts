import stringWidth from 'string-width';
import type { Change } from '../../../shared/domain/decision/plan.ts';
import { totalChanges } from '../../../shared/domain/decision/plan-totals.ts';
import { FIRST_KIND } from '../../../shared/domain/enrollment/kinds/index.ts';
import { haltedBy, OPT_OUT_ADVICE, tripText } from './guardrail-text.ts';
import type { Style } from './output.ts';
import { alertSection, changeSections } from './plan-changes.ts';
import { configurationsText } from './plan-configurations.ts';
import { restCounts, restSection } from './plan-rest.ts';
import type { PlanLayout, PlanTextOptions, ShownPlan } from './plan-shape.ts';
import { oneLine } from './table.ts';
import { actorText, count, instant, number, planCounts, shortHash } from './words.ts';
import { hang, wrap } from './wrap.ts';

/** The longest common width of names and OUs, terminal cells. Longer ones widen their own list. */
const COMMON = 30;

/** What the run would do, what it leaves and why, and what would stop it. The last line has the totals. */
export function planText(plan: ShownPlan, options: PlanTextOptions): string[] {
  const { style, width } = options;
  const rest = restOf(plan);
  const alerts = rest.filter(({ reason }) => reason === 'alertOnly');
  const others = rest.filter(({ reason }) => reason !== 'alertOnly');
  const layout = { ...options, ...commonWidths(plan.changes) };
  const changes = [changeSections(plan, layout), alertSection(alerts, layout)];
  const left = restSection(others, layout);
  // Its own first line is empty.
  const settings = configurationsText(plan, options).slice(1);
  const notes = noteLines(plan, style, width);
  const body = [...changes, left, settings, notes].filter((lines) => lines.length > 0);
  const last = wrap(lastLine(plan, alerts.length, others), width);
  if (body.length === 0 && plan.broken.length === 0) return last;
  const gap = left.length > 0 || notes.length > 0 ? [] : [''];
  return [...headLines(plan, options), ...body.flatMap((lines) => ['', ...lines]), ...gap, ...last];
}

function headLines({ organizationId, file, coverage, broken }: ShownPlan, { style, width }: PlanTextOptions): string[] {
  const { evaluated, unknown } = coverage;
  const known = `status known for ${number(evaluated)} of ${count(evaluated + unknown, 'active account')}`;
  return [
    `${organizationId} · ${file} · ${known}`,
    ...broken.flatMap((sentence) => hang(`${style('yellow', '!')} `, `Incomplete: ${oneLine(sentence)}.`, width)),
  ];
}

/** The drift that the run does not change. */
function restOf({ changes, due, followUps }: ShownPlan): Change[] {
  const made = new Set([...due, ...followUps].map(({ accountId, enrollment }) => `${accountId} ${enrollment}`));
  return changes.filter(({ accountId, enrollment }) => !made.has(`${accountId} ${enrollment}`));
}

function commonWidths(changes: readonly Change[]): Pick<PlanLayout, 'nameWidth' | 'ouWidth'> {
  const widest = (of: (change: Change) => string): number =>
    changes.reduce((most, change) => Math.max(most, Math.min(COMMON, stringWidth(oneLine(of(change))))), 0);
  return { nameWidth: widest(({ accountName }) => accountName), ouWidth: widest(({ ou }) => ou) };
}

/** What would stop or delay the changes, and what to do about it. */
function noteLines(plan: ShownPlan, style: Style, width: number | null): string[] {
  const { approval, gate, orgWide } = plan;
  const note = (text: string): string[] => hang(`${style('red', '!')} `, text, width);
  const held = plan.changes.filter(({ reason }) => reason === 'rollout').length;
  const wide = orgWide[FIRST_KIND.id];
  return [
    ...(plan.halted === null
      ? []
      : note(`Changes are ${haltedBy(plan.halted)}. To allow them: ${plan.program} resume`)),
    ...(held === 0 || gate === null ? [] : note(`Held back: ${count(held, 'change')}: ${gate.message}.`)),
    ...(wide?.used === true
      ? note(`One organization-wide call makes the changes of ${FIRST_KIND.title}: ${wide.note}.`)
      : []),
    ...(approval === null
      ? guardrailLines(plan, note)
      : note(
          `Plan ${shortHash(approval.planHash)} is approved by ${actorText(approval.actor)} until ` +
            `${instant(new Date(approval.expiresAt).toISOString())}: the next apply makes the changes that are in it.`,
        )),
  ];
}

function guardrailLines(plan: ShownPlan, note: (text: string) => string[]): string[] {
  const { trip, policy, savedAs, program, policyFlag } = plan;
  if (trip === null || trip.reason === 'halted') return [];
  const { reason, limit } = trip;
  if (reason !== 'maxChanges' || limit === undefined) {
    const only = reason === 'maxOptOuts' ? ` ${OPT_OUT_ADVICE}` : '';
    const text = tripText(trip, policy.policy.guardrails);
    return note(`Guardrail ${reason} would stop apply: ${text}.${only}`);
  }
  if (savedAs !== null) {
    const why = tripText(trip, policy.policy.guardrails);
    return note(`Guardrail maxChanges does not stop a saved plan: ${why}.`);
  }
  const commands = [
    [`${program} plan${policyFlag} --out plan.json`, 'save it, then'],
    [`${program} apply${policyFlag} --plan plan.json`, 'make exactly these changes past maxChanges'],
  ] as const;
  const widest = Math.max(...commands.map(([command]) => command.length));
  return [
    ...note(
      `Guardrail maxChanges would stop apply: ${tripText(trip, policy.policy.guardrails)}. If the plan is what you want:`,
    ),
    ...commands.map(([command, why]) => `    ${command.padEnd(widest)}   ${why}`),
    '  Or proceed in steps: mode: alert in defaults, mode: enforce in a rule for one OU.',
  ];
}

function lastLine(plan: ShownPlan, alerts: number, others: readonly Change[]): string {
  const made = [...plan.due, ...plan.followUps];
  if (totalChanges(plan.totals) > 0) {
    return `${planCounts(plan.totals, new Set(made.map(({ accountId }) => accountId)).size)}.`;
  }
  const reported = alerts === 0 ? [] : [`${count(alerts, 'drift')} reported only (mode: alert)`];
  const left = [...reported, ...[restCounts(others)].filter((text) => text !== null)];
  if (left.length > 0) return `No changes now. ${left.join('; ')}.`;
  const { unknown } = plan.coverage;
  if (unknown > 0) return `No changes now. The status of ${count(unknown, 'account')} is unknown.`;
  return `No changes. ${complyText(plan.accountsInScope)} with the policy.`;
}

/** `All managed accounts (118) comply`. */
export function complyText(accounts: number): string {
  return accounts === 1 ? 'The only managed account complies' : `All managed accounts (${number(accounts)}) comply`;
}
