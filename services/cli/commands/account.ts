import type { AccountView } from '../../../shared/app/queries/account-view.ts';
import { accountArgument, countArgument } from '../../../shared/config/arguments.ts';
import { sourceText } from '../../../shared/domain/enrollment/governing-configuration.ts';
import { type EnrollmentId, kindsInUse } from '../../../shared/domain/enrollment/kinds/index.ts';
import { oneLine } from '../../../shared/domain/text.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { loadPolicyIfAny, withStore } from '../session.ts';
import { haltText, rolloutText, windowText } from '../ui/enforcement-text.ts';
import { entriesTable } from '../ui/entries.ts';
import { explanationText } from '../ui/explain-text.ts';
import { paintStatus } from '../ui/statuses.ts';
import { ago, count, instant, stateText } from '../ui/words.ts';

export interface AccountFlags {
  readonly policy?: string;
  readonly limit: string;
}

export async function runAccount(context: CliContext, id: string, flags: AccountFlags): Promise<number> {
  const accountId = accountArgument('account', id);
  const limit = countArgument('--limit', flags.limit, { min: 1, max: 1_000 });
  const loaded = await loadPolicyIfAny(context, flags.policy);
  const { accountView } = await import('../../../shared/app/queries/account-view.ts');
  const { output, clock } = context;
  const query = { accountId, policy: loaded?.policy ?? null, limit, now: clock.now() };
  const view = await withStore(context, true, (store) => accountView(store, query));
  if (view === null) {
    throw new CommandError(
      'AccountUnknown',
      `Account ${accountId} is not known in ${context.store.label}: it is neither in the last snapshot of the organization nor in the ledger. ` +
        'Check the number. An account that has just joined is known after the next scan.',
    );
  }
  output.result(view, () => viewText(view, context, clock.now()));
  return EXIT.ok;
}

function viewText(view: AccountView, { output }: CliContext, now: number): string[] {
  const { style, width } = output;
  const { account, enrollments, explanation, timeline, next } = view;
  const heading =
    account === null
      ? `${view.accountId}: not in the last snapshot of the organization`
      : `${account.id}  ${oneLine(account.name)}  ${oneLine(account.ou)}  ${account.state}${account.management ? ', the management account' : ''}`;
  return [
    style('bold', heading),
    ...tagsText(account?.tags ?? null),
    '',
    ...kindsInUse((id) => enrollments[id] !== null).map(
      ({ id, title }) => `${title}: ${conditionText(view, id, style, now)}`,
    ),
    '',
    ...enforcementText(view),
    ...(explanation === null ? [`No explanation: ${view.notExplained}.`] : explanationText(explanation, style)),
    '',
    ...(timeline.length === 0 ? ['No entries.'] : entriesTable(timeline, width, false)),
    ...(next === null ? [] : [`… older entries: rollcall audit list --account ${view.accountId} --limit 1000`]),
  ];
}

/** Everything that currently prevents a change to the account, whatever its status was at the last scan. */
function enforcementText({ rollout, halted, suspension, window }: AccountView): string[] {
  const until = suspension?.until == null ? 'until resumed' : `until ${instant(suspension.until)}`;
  const lines = [
    ...(rollout === null ? [] : [rolloutText(rollout)]),
    ...haltText(halted),
    ...(suspension === null ? [] : [`Suspended ${until}: ${suspension.message}`]),
    ...windowText(window),
  ];
  return lines.length === 0 ? [] : [...lines, ''];
}

function tagsText(tags: Readonly<Record<string, string>> | null): string[] {
  const pairs = Object.entries(tags ?? {});
  return pairs.length === 0 ? [] : [`Tags: ${pairs.map(([key, value]) => oneLine(`${key}=${value}`)).join(', ')}`];
}

function conditionText(
  { accountId, account, enrollments }: AccountView,
  enrollment: EnrollmentId,
  style: CliContext['output']['style'],
  now: number,
): string {
  const condition = enrollments[enrollment];
  if (condition === null) return 'not scanned yet';
  const { complianceStatus, message, since, driftSince, notBefore, attempts } = condition;
  const source = sourceText(condition, accountId, account);
  const target = stateText(condition.desired, condition.desiredRuleMode);
  return [
    `${paintStatus(style, complianceStatus)}${message === null ? '' : ` (${message})`} since ${instant(since)} (${ago(since, now)})`,
    `observed ${stateText(condition.status, condition.ruleMode)}`,
    ...(source === null ? [] : [oneLine(source)]),
    ...(target === '?' ? [] : [`desired ${target}`]),
    ...(driftSince === null ? [] : [`drift since ${instant(driftSince)} (${ago(driftSince, now)})`]),
    ...(notBefore === null ? [] : [`not before ${instant(notBefore)}`]),
    ...(attempts === 0 ? [] : [count(attempts, 'failed attempt')]),
  ].join('; ');
}
