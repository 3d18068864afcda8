import type { Approved } from '../../../shared/app/guardrails/approvals.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { reasonArgument, withOperator } from '../operator.ts';
import { whoActs } from '../ui/controls-text.ts';
import { count, instant, shortHash } from '../ui/words.ts';
import { wrap } from '../ui/wrap.ts';

export async function runApprove(context: CliContext, text: string, why: string | undefined): Promise<number> {
  const hash = text.toLowerCase();
  if (!/^[0-9a-f]{12,64}$/.test(hash)) {
    throw new CommandError(
      'Usage',
      `approve ${JSON.stringify(text)}: expected a plan's hash, 12 to 64 hexadecimal digits.`,
    );
  }
  const reason = reasonArgument(why);
  const [{ approve }, { ApprovalError }, { readControls }] = await Promise.all([
    import('../../../shared/app/guardrails/approvals.ts'),
    import('../../../shared/app/guardrails/approvable-plan.ts'),
    import('../../../shared/app/guardrails/controls.ts'),
  ]);
  try {
    const { approved, isHalted } = await withOperator(context, async (deps) => ({
      approved: await approve(deps, hash, { actor: deps.actor, reason }),
      isHalted: (await readControls(deps.registers)).halt !== null,
    }));
    const { config, output } = context;
    output.result(document(approved), () => wrap(sentences(approved, whoActs(config.program, isHalted)), output.width));
    return EXIT.ok;
  } catch (error) {
    if (error instanceof ApprovalError) throw new CommandError(error.code, error.message);
    throw error;
  }
}

function document({ approval, changes, accounts, configurations, entryId }: Approved) {
  const { planHash, policyHash, actor, reason, at, expiresAt } = approval;
  const times = { at: new Date(at).toISOString(), expiresAt: new Date(expiresAt).toISOString() };
  return { planHash, policyHash, changes, accounts, configurations, actor, reason, ...times, entryId };
}

function sentences({ approval, changes, accounts, configurations }: Approved, next: string): string {
  const { planHash, expiresAt } = approval;
  const until = instant(new Date(expiresAt).toISOString());
  const foreign = count(configurations, 'organization enrollment configuration');
  const what = changes === 0 ? '' : `: ${count(changes, 'change')} to ${count(accounts, 'account')}`;
  const lifts = [
    ...(changes === 0 ? [] : ['The approval lifts only maxChanges and the canary check for these changes.']),
    ...(configurations === 0 ? [] : [`The approval lets the run change ${foreign} that somebody else set.`]),
  ].join(' ');
  return `Approved plan ${shortHash(planHash)} for one run until ${until}${what}. ${lifts} ${next}`;
}
