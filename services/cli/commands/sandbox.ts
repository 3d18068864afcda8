import type { Command } from 'commander';
import { countArgument, durationArgument, numberArgument, wordArgument } from '../../../shared/config/arguments.ts';
import { readJsonFile } from '../../../shared/config/text-file.ts';
import { COVERED_CODES } from '../../sandbox/engine/types.ts';
import { isScenarioName, SCENARIOS } from '../../sandbox/scenarios.ts';
import type { CliContext, Select } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';

type Optional =
  | 'host'
  | 'accounts'
  | 'seed'
  | 'scenario'
  | 'drift'
  | 'latency'
  | 'rate'
  | 'orgRate'
  | 'pending'
  | 'configurationDelay'
  | 'coveredCode'
  | 'faults';
type SandboxFlags = Readonly<Partial<Record<Optional, string>>> & { readonly port: string };

export function defineSandbox(program: Command, select: Select): void {
  program
    .command('sandbox')
    .description('serve a simulated AWS organization; prints one JSON line when ready, ends on Ctrl-C')
    .option('--port <n>', 'port; 0 picks a free one', '4570')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--accounts <n>', 'number of accounts (default: 500)')
    .option('--seed <n>', 'the same seed gives the same organization (default: 1)')
    .option('--scenario <name>', `preset of the other options, which override it: ${Object.keys(SCENARIOS).join(', ')}`)
    .option('--drift <fraction>', `fraction of accounts that are not enrolled, 0 to 1 (default: ${DEFAULT_DRIFT})`)
    .option('--latency <duration>', 'delay of each response (default: 0ms)')
    .option('--rate <n>', 'calls per second for each calling account and operation (default: no throttling)')
    .option('--org-rate <n>', 'changes per second in the whole organization (default: no throttling)')
    .option('--pending <duration>', 'how long a change stays Pending (default: 0s)')
    .option(
      '--configuration-delay <duration>',
      'how long a change of an enrollment configuration of an OU or the root takes (default: 5s to 5m)',
    )
    .option(
      '--covered-code <code>',
      `error code if a configuration applies to an account: ${COVERED_CODES.join(', ')} (default: ${COVERED_CODES[0]})`,
    )
    .option('--faults <file>', 'JSON list of faults')
    .addHelpText('after', ACCESS)
    .action((flags: SandboxFlags) => select((context) => runSandbox(context, flags)));
}

/** The fraction of drifted accounts without a scenario, so that there is something to remediate. */
const DEFAULT_DRIFT = 0.2;

const ACCESS = `
To use it from another terminal, with "endpoint" and "managementAccountId" from
the JSON line:
  export AWS_ENDPOINT_URL=http://127.0.0.1:4570 AWS_REGION=eu-west-1
  export AWS_ACCESS_KEY_ID=<managementAccountId> AWS_SECRET_ACCESS_KEY=any`;

async function runSandbox(context: CliContext, flags: SandboxFlags): Promise<number> {
  const { output, interrupt } = context;
  const [{ startSandbox }, { faultsSchema, refusalText }] = await Promise.all([
    import('../../sandbox/start.ts'),
    import('../../sandbox/options.ts'),
  ]);
  const given = numbersOf(flags);
  const { scenario: name, faults: file, coveredCode: code } = flags;
  if (name !== undefined && !isScenarioName(name)) wordArgument('--scenario', name, Object.keys(SCENARIOS));
  const faults = file === undefined ? undefined : faultsSchema.safeParse(readJsonFile(file));
  if (faults?.success === false) {
    throw new CommandError('Usage', `--faults ${file}: ${refusalText(faults.error)}`);
  }
  const options = {
    ...(name === undefined && { drift: DEFAULT_DRIFT }),
    ...given,
    ...(flags.host !== undefined && { host: flags.host }),
    ...(code !== undefined && { coveredCode: wordArgument('--covered-code', code, COVERED_CODES) }),
    ...(name !== undefined && isScenarioName(name) && { scenario: name }),
    ...(faults !== undefined && { faults: faults.data }),
  };
  const running = await startSandbox(options).catch((error: unknown) => {
    const refused = refusalText(error);
    throw refused === null
      ? listenError(error, given.port)
      : new CommandError('Usage', `The sandbox cannot start with these options: ${refused}`);
  });
  // One line even on a terminal, because scripts read it.
  output.print(JSON.stringify(running.info));
  interrupt.finishGracefully(() => undefined);
  await output.settled();
  // If the line could not be written, nobody knows the endpoint, so the sandbox ends. A reader that closes the pipe does not end it.
  if (output.lostResult === null) await aborted(interrupt.signal);
  await running.close();
  return EXIT.ok;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function numbersOf(flags: SandboxFlags) {
  const { accounts, seed, drift, latency, rate, orgRate, pending, configurationDelay: delay } = flags;
  const calls = { min: 0, max: 1_000_000 };
  return {
    port: countArgument('--port', flags.port, { min: 0, max: 65_535 }),
    ...(accounts !== undefined && { accounts: countArgument('--accounts', accounts, { min: 2, max: 1_000_000 }) }),
    ...(seed !== undefined && { seed: countArgument('--seed', seed, { min: -1_000_000_000, max: 1_000_000_000 }) }),
    ...(drift !== undefined && { drift: numberArgument('--drift', drift, { min: 0, max: 1 }) }),
    ...(latency !== undefined && { latencyMs: durationArgument('--latency', latency) }),
    ...(rate !== undefined && { rate: numberArgument('--rate', rate, calls) }),
    ...(orgRate !== undefined && { orgRate: numberArgument('--org-rate', orgRate, calls) }),
    ...(pending !== undefined && { pendingMs: durationArgument('--pending', pending) }),
    ...(delay !== undefined && { configurationDelayMs: durationArgument('--configuration-delay', delay) }),
  };
}

function listenError(error: unknown, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'EADDRINUSE') {
    return new CommandError(
      'PortInUse',
      `Port ${port} is in use. Choose another with --port; --port 0 picks a free one.`,
    );
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new CommandError(
      'PortRefused',
      `The sandbox cannot listen there (${code}). Choose another --port or --host.`,
    );
  }
  return error;
}
