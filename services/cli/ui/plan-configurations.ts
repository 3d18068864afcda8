import type { Plan } from '../../../shared/app/plan/plan.ts';
import type { Output } from './output.ts';
import { oneLine, table } from './table.ts';
import { count, number } from './words.ts';
import { wrap } from './wrap.ts';

type Configurations = NonNullable<Plan['configurations']>;
type Call = Configurations['calls'][number];

/** Up to this many OUs without a configuration, and configurations that stay, are listed. */
const FEW = 10;

/** What happens to organization enrollment configurations; nothing if the policy does not manage them. */
export function configurationsText(
  { configurations, approval, trip }: Pick<Plan, 'configurations' | 'approval' | 'trip'>,
  { style, width }: Pick<Output, 'style' | 'width'>,
): string[] {
  if (configurations === null) return [];
  const { notCovered, kept, callsSaved } = configurations;
  const calls = [...configurations.calls].sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
  const made = calls.filter(({ needsApproval }) => !needsApproval);
  const saved = made.length === 0 ? '' : ` ${count(callsSaved, 'call')} saved.`;
  const asked = calls.length - made.length;
  const calledNow = asked === 0 ? '' : ` now, ${number(asked)} need${asked === 1 ? 's' : ''} approval`;
  const title = `Organization enrollment configurations: ${count(made.length, 'call')}${calledNow}.${saved}`;
  return [
    '',
    ...wrap(title, width),
    ...(calls.length === 0 ? [] : callTable(calls, width)),
    ...foreignText(calls.filter(({ needsApproval, owner }) => needsApproval && owner === 'other')).map((line) =>
      style('yellow', line),
    ),
    ...(calls.some(({ target }) => target.startsWith('/')) ? [SLOW] : []),
    ...(asked === 0 || approval !== null || trip !== null ? [] : [NEXT]),
    ...keptText(kept),
    ...uncoveredText(notCovered),
  ];
}

/** @param calls in the order of the OU tree: each OU is followed by those below it, and accounts are last */
function callTable(calls: readonly Call[], width: number | null): string[] {
  const columns = [
    { title: 'TARGET', shrinks: true },
    { title: 'SETTING' },
    { title: 'ACCOUNTS', align: 'right' as const },
    { title: 'OPT-OUTS', align: 'right' as const },
    { title: 'LATER JOINERS' },
    { title: 'NOW SET BY', dropOrder: 1 },
  ];
  const rows = calls.map((call) => [
    `${'  '.repeat(depthOf(call.target))}${call.target}`,
    call.ruleMode ?? 'delete',
    number(call.accounts),
    number(call.optOuts),
    call.joiners ?? '–',
    OWNERS[call.owner],
  ]);
  return table(columns, rows, width);
}

/** Without the replacement, `/A B` would come before `/A/C`, because a space sorts before a slash. */
const placeOf = ({ target }: Call): string => target.replaceAll('/', '\0');

const depthOf = (target: string): number => (target.startsWith('/') ? target.split('/').filter(Boolean).length : 0);

const OWNERS: Readonly<Record<Call['owner'], string>> = { rollcall: 'Rollcall', other: 'somebody else', none: '–' };

const SLOW = 'AWS applies such a change slowly, so apply waits up to five minutes for each level of the OU tree.';

/** Without this plan's hash, which `approve` accepts only after a run has stored the same plan. A guardrail that stops the plan has its own advice. */
const NEXT = 'Next: rollcall apply makes the other changes, if any, and shows the command that approves the plan.';

const WHY_DELETE =
  'A deletion that changes no account can be needed: AWS refuses to disable Automation where a configuration applies.';

function foreignText(calls: readonly Call[]): string[] {
  const isOnlyDeleted = calls.some(({ ruleMode, accounts }) => ruleMode === null && accounts === 0);
  const lines = calls.map(({ target, targetId, ruleMode, replaces }) => {
    const where = target === targetId ? target : `${target} (${targetId})`;
    const what = ruleMode === null ? 'delete it' : `replace it with ${ruleMode}`;
    const setting = replaces === null ? '' : ` to ${replaces}`;
    return `Needs approval: somebody else set the configuration of ${where}${setting}. Rollcall would ${what}.`;
  });
  return isOnlyDeleted ? [...lines, WHY_DELETE] : lines;
}

function keptText(kept: Configurations['kept']): string[] {
  const shown = kept
    .slice(0, FEW)
    .map(({ target, ruleMode, why }) => `Kept: ${target} (${ruleMode}): ${oneLine(why)}.`);
  const others = kept.length - shown.length;
  return others === 0 ? shown : [...shown, `… and ${count(others, 'more configuration')} that stay.`];
}

function uncoveredText(notCovered: Configurations['notCovered']): string[] {
  const shown = notCovered.slice(0, FEW).map(({ ou, why }) => `Not covered: ${ou}: ${oneLine(why)}.`);
  const others = notCovered.length - shown.length;
  return others === 0 ? shown : [...shown, `… and ${count(others, 'more OU')} without a configuration.`];
}
