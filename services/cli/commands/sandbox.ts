import { countArgument, durationArgument, numberArgument, wordArgument } from '../../../shared/config/arguments.ts';
import { readJsonFile } from '../../../shared/config/text-file.ts';
import { COVERED_CODES } from '../../sandbox/engine/types.ts';
import { isScenarioName, SCENARIOS } from '../../sandbox/scenarios.ts';
import type { CliContext } from '../context.ts';
import { DEFAULT_DRIFT } from '../definitions/defaults.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { sandboxExports } from '../ui/sandbox-exports.ts';

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
export type SandboxFlags = Readonly<Partial<Record<Optional, string>>> & { readonly port: string };

export async function runSandbox(context: CliContext, flags: SandboxFlags): Promise<number> {
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
  if (output.notesAreTerminal) for (const line of nextSteps(running.endpoint)) output.note(line);
  await output.settled();
  // If the line could not be written, nobody knows the endpoint, so the sandbox ends. A reader that closes the pipe does not end it.
  if (output.lostResult === null) await aborted(interrupt.signal);
  await running.close();
  return EXIT.ok;
}

function nextSteps(endpoint: string): readonly string[] {
  return [
    '',
    'The simulated organization is ready. To use it, run in another terminal, in a new folder:',
    '  export ROLLCALL_DATA_DIR=sandbox-data',
    ...sandboxExports(endpoint).map((line) => `  ${line}`),
    'Ctrl-C ends the sandbox.',
  ];
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
