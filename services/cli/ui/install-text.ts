import type { ChangeSet } from '../../../shared/ports/installation.ts';
import type { TemplateContents } from '../install/contents.ts';
import type { Installing } from '../install/request.ts';
import { count, number } from './words.ts';
import { hang } from './wrap.ts';

/** Monthly costs in US dollars. */
export interface Costs {
  readonly accounts: number;
  readonly work: number;
  readonly monitoring: number;
  readonly checkpoints: number;
}

/** What an installation would create, with its permissions and costs. */
export function installText(
  { account, stack, bucket, runsHere, parameters, rollcallAccount }: Installing,
  contents: TemplateContents,
  costs: Costs | null,
  width: number | null,
): string[] {
  const place = runsHere ? 'Rollcall runs in this account' : `for Rollcall in account ${rollcallAccount}`;
  const units = parameters['OrganizationalUnitIds'] ?? '';
  const members = contents.types.has('AWS::CloudFormation::StackSet')
    ? [
        [
          'Members',
          `${parameters['MemberRole'] ?? 'RollcallMember'} and its read-only variant in every account below ${units}`,
        ],
      ]
    : [];
  const lines = [
    ['Account', `${account.accountId}, ${account.region} (${place})`],
    ['Organization', `${account.organizationId}, management account ${account.managementAccountId}`],
    ['Stack', stack],
    ['Bucket', runsHere ? `${bucket}, for the template and the packages` : `${bucket}, for the template`],
    ['Resources', resourcesText(contents.types)],
    ...members,
    ...(costs === null ? [] : [['Costs', costsText(costs)]]),
  ];
  return [
    'Rollcall would create or update:',
    ...lines.flatMap(([title = '', text = '']) => hang(`  ${title.padEnd(14)}`, text, width)),
    ...(contents.roles.length === 0 ? [] : ['Permissions of its roles:']),
    ...contents.roles.flatMap(({ name, actions }) =>
      hang(`  ${name.padEnd(28)}`, `${count(actions.length, 'action')} of ${services(actions).join(', ')}`, width),
    ),
  ];
}

function resourcesText(types: TemplateContents['types']): string {
  const total = [...types.values()].reduce((all, each) => all + each, 0);
  const parts = [...types]
    .sort(([, first], [, second]) => second - first)
    .map(([type, amount]) => count(amount, ...words(type)));
  return `${number(total)}: ${parts.join(', ')}`;
}

/** `AWS::Events::EventBusPolicy` is `event bus policy`. */
function words(type: string): [one: string, many: string] {
  const name = type.split('::').at(-1) ?? type;
  const one = name === 'Url' ? 'function URL' : name.replaceAll(/(?<=[a-z])([A-Z])/g, ' $1').toLowerCase();
  return [one, one.endsWith('y') ? `${one.slice(0, -1)}ies` : `${one}s`];
}

function services(actions: readonly string[]): readonly string[] {
  return [...new Set(actions.map((action) => action.split(':')[0] ?? action))].sort();
}

function costsText({ accounts, work, monitoring, checkpoints }: Costs): string {
  return [
    `about USD ${work.toFixed(2)} a month for ${number(accounts)} accounts`,
    ...(monitoring === 0 ? [] : [`USD ${monitoring.toFixed(2)} for alarms and dashboard`]),
    ...(checkpoints === 0 ? [] : [`USD ${checkpoints.toFixed(2)} for signed checkpoints`]),
  ].join(', and ');
}

/** What a change set would do. Resources that an update removes or replaces have a line each. */
export function changesText({ kind, changes }: ChangeSet): string[] {
  const amount = (action: string): number => changes.filter((each) => each.action === action).length;
  const [add, modify, remove] = [amount('Add'), amount('Modify'), amount('Remove')];
  if (kind === 'CREATE') return [`Change set: ${count(add, 'resource')} to create.`];
  const lost = changes.filter(({ action, replaced }) => action === 'Remove' || replaced);
  return [
    `Change set: ${add} to create, ${modify} to change, ${remove} to remove.`,
    ...lost.map(
      ({ action, resource, type }) => `! ${action === 'Remove' ? 'removes' : 'replaces'} ${resource} (${type})`,
    ),
  ];
}
