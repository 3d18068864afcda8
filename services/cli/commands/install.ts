import { storeProfile } from '../../../shared/compose/stores/index.ts';
import { writeTextFile } from '../../../shared/config/text-file.ts';
import { type Installation, InstallationError } from '../../../shared/ports/installation.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { contentsOf, parametersOf } from '../install/contents.ts';
import { type InstallFlags, type Installing, installing, requireMemberRole } from '../install/request.ts';
import { confirm } from '../prompt.ts';
import { type Costs, changesText, installText } from '../ui/install-text.ts';

/** Size of the organization that the shown costs are for. */
const COST_ACCOUNTS = 1_000;

/** The template is large, and only this command needs it. */
async function loadTemplate(): Promise<unknown> {
  return (await import('../../../infra/organization.template.json', { with: { type: 'json' } })).default;
}

export async function runInstall(context: CliContext, flags: InstallFlags): Promise<number> {
  const template = await loadTemplate();
  if (flags.template !== undefined) {
    const ifPresent = flags.force === true ? 'replace' : 'refuse';
    writeTextFile(flags.template, `${JSON.stringify(template, null, 2)}\n`, 'template', ifPresent);
    context.output.result({ template: flags.template }, () => [`Wrote ${flags.template}.`]);
    return EXIT.ok;
  }
  const { openInstallation } = await import('../../../shared/compose/install.ts');
  const installation = openInstallation(context.clock);
  try {
    return await install(context, installation, template, flags);
  } catch (cause) {
    if (cause instanceof InstallationError)
      throw new CommandError(cause.code, cause.message, { hints: cause.hints, cause });
    throw cause;
  } finally {
    installation.close();
  }
}

async function install(
  context: CliContext,
  installation: Installation,
  template: unknown,
  flags: InstallFlags,
): Promise<number> {
  const { output } = context;
  const request = installing(template, await installation.account(), flags);
  const { stack, bucket, uploads, parameters, account } = request;
  if (!(await installation.ensureDeployable(stack))) requireMemberRole(request, flags.stage);
  const { accountId, region, partition } = account;
  const pseudo = { 'AWS::AccountId': accountId, 'AWS::Region': region, 'AWS::Partition': partition };
  const contents = contentsOf(template, { ...parameters, ...pseudo });
  const costs = request.runsHere ? await costsOf(parameters) : null;
  for (const line of installText(request, contents, costs, output.noteWidth)) output.note(line);
  if (flags.yes !== true && !(await confirm(context, `Install in account ${accountId}?`))) {
    output.note('Nothing was changed.');
    return EXIT.error;
  }
  await installation.ensureBucket(bucket);
  for (const { key, content } of uploads) {
    const isNew = await installation.upload(bucket, key, content);
    output.note(`${isNew ? 'Uploaded' : 'Already there:'} ${key}`);
  }
  const changed = await deploy(context, installation, { ...request, yes: flags.yes === true }, template);
  if (changed === null) {
    output.note(`The stack ${stack} was not changed.`);
    return EXIT.error;
  }
  const outputs = await installation.outputs(stack);
  const answer = { stack, accountId, region, changed, outputs };
  output.result(answer, () => [changed ? `Deployed ${stack}.` : `${stack} is up to date.`, ...nextSteps(request)]);
  return request.runsHere && !output.json ? verified(context, outputs) : EXIT.ok;
}

/** @returns whether anything changed; `null`: the person did not agree to the changes of a stack that exists */
async function deploy(
  context: CliContext,
  installation: Installation,
  { stack, bucket, templateKey, parameters, yes }: Installing & { readonly yes: boolean },
  template: unknown,
): Promise<boolean | null> {
  const { output, interrupt } = context;
  const changeSet = await installation.prepare({
    name: stack,
    templateUrl: installation.urlOf(bucket, templateKey),
    parameters,
    parameterNames: parametersOf(template),
    tags: { 'rollcall:stage': parameters['Stage'] ?? '' },
  });
  if (changeSet === null) return false;
  for (const line of changesText(changeSet)) output.note(line);
  // What an update removes or replaces is known only now.
  if (changeSet.kind === 'UPDATE' && !yes && !(await confirm(context, `Make these changes to ${stack}?`))) return null;
  const continues = `CloudFormation continues without this command. To follow it:\naws cloudformation describe-stack-events --stack-name ${stack}`;
  let deploying = true;
  interrupt.finishGracefully(() => deploying && output.note(continues), { ms: 0, end: () => interrupt.exitCode });
  let shown = '';
  await installation.execute(stack, changeSet, ({ done, total }) => {
    const line = `${done} of ${total} resources`;
    if (line !== shown) output.note(line);
    shown = line;
  });
  deploying = false;
  return true;
}

function nextSteps({ runsHere, account, rollcallAccount }: Installing): string[] {
  if (!runsHere || account.managementAccountId === account.accountId) return [];
  return [
    `Next: with credentials of the management account ${account.managementAccountId}, run the same command with --account ${rollcallAccount}`,
  ];
}

async function costsOf({ Monitoring = 'full', Checkpoints = 'none' }: Installing['parameters']): Promise<Costs> {
  const { checkpointCosts, monitoringCosts, monthly, USUAL } = await import('../../../infra/costs.ts');
  const work = monthly({ ...USUAL, accounts: COST_ACCOUNTS }).total;
  const [monitoring, checkpoints] = [monitoringCosts(Monitoring), checkpointCosts(Checkpoints)];
  return { accounts: COST_ACCOUNTS, work, monitoring, checkpoints };
}

/** Runs the checks of `doctor` on what was deployed. */
async function verified(context: CliContext, outputs: Readonly<Record<string, string>>): Promise<number> {
  const env = {
    ...context.env,
    ROLLCALL_TABLE: outputs['TableName'],
    ROLLCALL_QUEUE_URL: outputs['WorkQueueUrl'],
    ROLLCALL_DLQ_URL: outputs['DeadLetterQueueUrl'],
    ROLLCALL_EVENT_BUS: outputs['EventBusArn'],
  };
  const config = { ...context.config, store: 'aws' } as const;
  const { runDoctor } = await import('./doctor.ts');
  const code = await runDoctor(
    { ...context, env, config, store: storeProfile(config, env) },
    { sample: '0', timeout: '15s' },
  );
  return code === EXIT.ok ? EXIT.ok : EXIT.partly;
}
