import type { AsOf, StandingAt } from '../../../shared/app/queries/audit/as-of.ts';
import { instantArgument } from '../../../shared/config/arguments.ts';
import { TITLES } from '../../../shared/domain/enrollment/kinds/index.ts';
import { namesOf } from '../account-names.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import type { NameOf } from '../ui/entries.ts';
import { paintStatus } from '../ui/statuses.ts';
import { table } from '../ui/table.ts';
import { count, instant, stateText } from '../ui/words.ts';

export async function runAsOf(context: CliContext, time: string): Promise<number> {
  const { output, clock } = context;
  const now = clock.now();
  const at = instantArgument('as-of', time, now);
  const future = Date.parse(at) > now;
  const { auditAsOf } = await import('../../../shared/app/queries/audit/as-of.ts');
  const { result, nameOf } = await withStore(context, true, async (store) => {
    const found = await auditAsOf(store.ledger, at);
    return { result: found, nameOf: await namesOf(store.snapshots, output.json ? [] : found.accounts) };
  });
  output.result({ ...result, future }, () => asOfText(result, nameOf, context));
  if (future) {
    output.note(`warning: ${instant(at)} is in the future; the latest recorded state is shown.`);
  }
  if (result.pruned.length > 0) {
    output.note(
      `warning: ${count(result.pruned.length, 'account')} left out, because the entries from that time have been pruned.`,
    );
  }
  return EXIT.ok;
}

function asOfText({ at, accounts }: AsOf, nameOf: NameOf, { output }: CliContext): string[] {
  if (accounts.length === 0) return [`No account was known at ${instant(at)}.`];
  const columns = [
    { title: 'ACCOUNT' },
    { title: 'NAME', shrinks: true, dropOrder: 4 },
    { title: 'ENROLLMENT' },
    { title: 'STATUS', paint: (text: string) => paintStatus(output.style, text) },
    { title: 'OBSERVED' },
    { title: 'DESIRED' },
    { title: 'SINCE', dropOrder: 3 },
    { title: 'REASON', shrinks: true, dropOrder: 2 },
    { title: 'RULE', shrinks: true, dropOrder: 1 },
  ];
  return [
    ...table(
      columns,
      accounts.map((each) => rowOf(each, nameOf(each.accountId))),
      output.width,
    ),
    '',
    summaryText(at, accounts),
  ];
}

function rowOf(
  { accountId, enrollment, status, since, message, rule, ...state }: StandingAt,
  name: string | null,
): string[] {
  return [
    accountId,
    name ?? '',
    TITLES[enrollment],
    status,
    stateText(state.observed, state.observedRuleMode),
    state.desired === null && state.desiredRuleMode === null ? '–' : stateText(state.desired, state.desiredRuleMode),
    instant(since),
    message ?? '',
    rule ?? '',
  ];
}

function summaryText(at: string, accounts: readonly StandingAt[]): string {
  const groups = [...Map.groupBy(accounts, ({ status }) => status)];
  const statuses = groups.map(([status, { length }]) => `${status} ${length}`).join(', ');
  return `At ${instant(at)}: ${statuses}`;
}
