import type { Command } from 'commander';
import type { AsOf, StandingAt } from '../../../shared/app/queries/audit/as-of.ts';
import { instantArgument } from '../../../shared/config/arguments.ts';
import type { CliContext, Select } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';
import { table } from '../ui/table.ts';
import { paintVerdict } from '../ui/verdicts.ts';
import { count, ENROLLMENT_WORDS, instant, stateText } from '../ui/words.ts';

export function defineAsOf(audit: Command, select: Select): void {
  audit
    .command('as-of')
    .description('the verdict of every account at a time')
    .argument('<time>', '2026-03-01, 2026-03-01T12:00:00Z, or 24h for that long ago')
    .action((time: string) => select((context) => runAsOf(context, time)));
}

async function runAsOf(context: CliContext, time: string): Promise<number> {
  const { output, clock } = context;
  const now = clock.now();
  const at = instantArgument('as-of', time, now);
  const future = Date.parse(at) > now;
  const { auditAsOf } = await import('../../../shared/app/queries/audit/as-of.ts');
  const result = await withStore(context, true, (store) => auditAsOf(store.ledger, at));
  if (output.json) output.document({ ...result, future });
  else for (const line of asOfText(result, context)) output.print(line);
  if (future) {
    output.note(`warning: ${instant(at)} is still to come; told is what is known by now.`);
  }
  if (result.pruned.length > 0) {
    output.note(
      `warning: what was so then has been pruned for ${count(result.pruned.length, 'account')}; nothing is told of them.`,
    );
  }
  return EXIT.ok;
}

function asOfText({ at, accounts }: AsOf, { output }: CliContext): string[] {
  if (accounts.length === 0) return [`Nothing was known of any account at ${instant(at)}.`];
  const columns = [
    { title: 'ACCOUNT' },
    { title: 'ENROLLMENT' },
    { title: 'VERDICT', paint: (text: string) => paintVerdict(output.style, text) },
    { title: 'OBSERVED' },
    { title: 'DESIRED' },
    { title: 'SINCE', leaveOut: 3 },
    { title: 'REASON', shrinks: true, leaveOut: 2 },
    { title: 'RULE', shrinks: true, leaveOut: 1 },
  ];
  return [...table(columns, accounts.map(rowOf), output.width), '', summaryText(at, accounts)];
}

function rowOf({ accountId, enrollment, verdict, since, reason, rule, ...state }: StandingAt): string[] {
  return [
    accountId,
    ENROLLMENT_WORDS[enrollment],
    verdict,
    stateText(state.observed, state.observedRuleMode),
    stateText(state.desired, state.desiredRuleMode),
    instant(since),
    reason ?? '',
    rule ?? '',
  ];
}

function summaryText(at: string, accounts: readonly StandingAt[]): string {
  const counts = new Map<string, number>();
  for (const { verdict } of accounts) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const verdicts = [...counts].map(([verdict, n]) => `${verdict} ${n}`).join(', ');
  return `At ${instant(at)}: ${verdicts}`;
}
