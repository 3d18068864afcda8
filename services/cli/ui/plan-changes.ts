import type { Change } from '../../../shared/domain/decision/plan.ts';
import { shortReason } from '../../../shared/domain/enrollment/explain-status.ts';
import { KINDS, kindOf, TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { Format } from './output.ts';
import type { PlanLayout, ShownPlan } from './plan-shape.ts';
import { table } from './table.ts';
import { count, number } from './words.ts';

/** Changes that are shown under one heading. */
interface Section {
  readonly heading: string;
  readonly color: Format;
  /** Lower numbers come first. */
  readonly rank: number;
  readonly changes: Change[];
}

/** A plan with more changes is grouped by OU. */
const FEW = 20;
/** OUs of a grouped plan that have their own row. */
const OUS = 15;
/** From this width each account also has the rule and the operation. */
const WIDE = 120;

/** The changes that the run makes: those of each account, or counts by OU. Opt-outs are never grouped. */
export function changeSections(plan: ShownPlan, layout: PlanLayout): string[] {
  const made = [...plan.due, ...plan.followUps];
  const waits = new Set(plan.followUps);
  const grouped = !layout.list && made.filter(({ optOut }) => !optOut).length > FEW;
  const optOuts = made.filter(({ optOut }) => optOut);
  const others = made.filter(({ optOut }) => !optOut);
  const listed = sectionsOf(grouped ? optOuts : made, headingOf).flatMap((section) => [
    layout.style(section.color, section.heading),
    ...accountRows(section.changes, waits, layout),
  ]);
  if (!grouped) return listed;
  const groups = sectionsOf(others, groupHeadingOf).flatMap((section) => [
    layout.style(section.color, section.heading),
    ...ouTable(section.changes, waits, layout),
  ]);
  return [...listed, ...groups, ...followUpNote(plan.followUps)];
}

/** Drift that the policy only reports. */
export function alertSection(changes: readonly Change[], layout: PlanLayout): string[] {
  if (changes.length === 0) return [];
  const heading = `Reported only (mode: alert): ${count(changes.length, 'drift')}`;
  const none = new Set<Change>();
  if (!layout.list && changes.length > FEW) return [heading, ...ouTable(changes, none, layout)];
  const sections = sectionsOf(changes, headingOf).flatMap((section) => [
    `  ${section.heading}`,
    ...accountRows(section.changes, none, layout),
  ]);
  return [heading, ...sections];
}

type Heading = Pick<Section, 'heading' | 'color' | 'rank'>;

function sectionsOf(changes: readonly Change[], heading: (change: Change) => Heading): Section[] {
  const sections = new Map<string, Section>();
  for (const change of changes) {
    const title = heading(change);
    const section = sections.get(title.heading) ?? { ...title, changes: [] };
    section.changes.push(change);
    sections.set(title.heading, section);
  }
  return [...sections.values()].sort((a, b) => a.rank - b.rank);
}

/** `+ Compute Optimizer: Inactive → Active`. */
function headingOf(change: Change): Heading {
  const { enrollment, observed, desired, desiredRuleMode, optOut } = change;
  const title = TITLES[enrollment];
  const place = KINDS.findIndex(({ id }) => id === enrollment);
  if (isModeOnly(change)) return { heading: `~ ${modeText(change)}`, color: 'yellow', rank: 20 + place };
  const mode = desiredRuleMode === null ? '' : `, rules ${desiredRuleMode}`;
  const transition = `${title}: ${observed ?? 'unknown'} → ${desired ?? observed}`;
  if (desired === 'Active') return { heading: `+ ${transition}${mode}`, color: 'green', rank: 10 + place };
  const { optOutDeletes } = kindOf(enrollment);
  const note = optOut ? ` (${optOutDeletes === null ? 'opt-out' : `deletes ${optOutDeletes}`})` : '';
  return { heading: `- ${transition}${note}`, color: 'red', rank: (optOut ? 0 : 30) + place };
}

/** Changes of all kinds that enable something are one group. */
function groupHeadingOf(change: Change): Heading {
  if (isModeOnly(change) || change.desired !== 'Active') return headingOf(change);
  return { heading: `+ Enable (${change.observed ?? 'unknown'} → Active)`, color: 'green', rank: 10 };
}

function isModeOnly({ observed, desired, desiredRuleMode }: Change): boolean {
  return desiredRuleMode !== null && (desired === null || desired === observed);
}

function modeText({ observedRuleMode, desiredRuleMode }: Change): string {
  return `Organization rules: ${observedRuleMode ?? 'unknown'} → ${desiredRuleMode}`;
}

function accountRows(changes: readonly Change[], waits: ReadonlySet<Change>, layout: PlanLayout): string[] {
  const { width, layoutWidth, nameWidth, ouWidth } = layout;
  const wide = layoutWidth >= WIDE;
  const waiting = changes.some((change) => waits.has(change));
  const columns = [
    { title: 'ACCOUNT' },
    { title: 'NAME', shrinks: true, minWidth: nameWidth },
    { title: 'OU', shrinks: true, minWidth: ouWidth },
    ...(waiting ? [{ title: '', dropOrder: 3 }] : []),
    ...(wide
      ? [
          { title: 'RULE', shrinks: true, dropOrder: 2 },
          { title: 'ACTION', dropOrder: 1 },
        ]
      : []),
  ];
  const sorted = [...changes.filter((change) => !waits.has(change)), ...changes.filter((change) => waits.has(change))];
  const rows = sorted.map((change) => [
    change.accountId,
    change.accountName,
    change.ou,
    ...(waiting ? [waits.has(change) ? shortReason(change) : ''] : []),
    ...(wide ? [change.rule, change.action] : []),
  ]);
  return table(columns, rows, width, { indent: 4, titles: false });
}

function followUpNote(followUps: readonly Change[]): string[] {
  const kinds = KINDS.filter(({ id }) => followUps.some(({ enrollment }) => enrollment === id));
  return kinds.map(({ title, prerequisites }) => {
    const needed = prerequisites.map((id) => TITLES[id]).join(' and ');
    return `Follow-up: ${title}, once ${needed} is Active in the same account.`;
  });
}

/** The numbers of one OU. */
interface OuCounts {
  readonly accounts: Set<string>;
  readonly byKind: Map<string, number>;
  followUps: number;
}

function countsOf(changes: readonly Change[], waits: ReadonlySet<Change>): OuCounts {
  const counts: OuCounts = { accounts: new Set(), byKind: new Map(), followUps: 0 };
  for (const change of changes) {
    counts.accounts.add(change.accountId);
    if (waits.has(change)) counts.followUps += 1;
    else counts.byKind.set(change.enrollment, (counts.byKind.get(change.enrollment) ?? 0) + 1);
  }
  return counts;
}

/** Changes by OU, most accounts first. */
function ouTable(changes: readonly Change[], waits: ReadonlySet<Change>, { width }: PlanLayout): string[] {
  const ous = [...Map.groupBy(changes, ({ ou }) => ou)]
    .map(([ou, members]) => ({ ou, members, accounts: countsOf(members, waits).accounts.size }))
    .sort((a, b) => b.accounts - a.accounts || (a.ou < b.ou ? -1 : 1));
  const kinds = KINDS.filter(({ id }) => changes.some((change) => change.enrollment === id && !waits.has(change)));
  const follow = changes.some((change) => waits.has(change));
  const right = 'right' as const;
  const columns = [
    { title: 'OU', shrinks: true },
    { title: 'ACCOUNTS', align: right },
    ...kinds.map(({ title }) => ({ title: title.toUpperCase(), align: right, dropOrder: 2 })),
    ...(follow ? [{ title: 'FOLLOW-UP', align: right, dropOrder: 1 }] : []),
  ];
  const row = (name: string, members: readonly Change[]): string[] => {
    const { accounts, byKind, followUps } = countsOf(members, waits);
    const cells = [...kinds.map(({ id }) => byKind.get(id) ?? 0), ...(follow ? [followUps] : [])];
    return [name, number(accounts.size), ...cells.map((n) => (n === 0 ? '–' : number(n)))];
  };
  const shown = ous.length > OUS ? ous.slice(0, OUS) : ous;
  const others = ous.slice(shown.length);
  const rest = others.flatMap(({ members }) => members);
  const more = others.length === 0 ? [] : [row(`and ${count(others.length, 'more OU')}`, rest)];
  return table(columns, [...shown.map(({ ou, members }) => row(ou, members)), ...more, row('Total', changes)], width);
}
