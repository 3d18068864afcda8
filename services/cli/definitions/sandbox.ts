import type { Command } from 'commander';
import { COVERED_CODES } from '../../sandbox/engine/types.ts';
import { SCENARIOS } from '../../sandbox/scenarios.ts';
import type { DemoFlags } from '../commands/demo.ts';
import type { SandboxFlags } from '../commands/sandbox.ts';
import type { Select } from '../context.ts';
import { DEFAULT_DRIFT, DEFAULT_PORT } from './defaults.ts';

export function defineSandbox(program: Command, select: Select): void {
  program
    .command('sandbox')
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
      'time until a changed configuration of an OU or the root takes effect (default: 5s to 5m)',
    )
    .option(
      '--covered-code <code>',
      `error code of calls for an account to which a configuration applies: ${COVERED_CODES.join(', ')} (default: ${COVERED_CODES[0]})`,
    )
    .option('--faults <file>', 'file with a JSON list of faults to simulate')
    .action((flags: SandboxFlags) =>
      select(async (context) => (await import('../commands/sandbox.ts')).runSandbox(context, flags)),
    );
}

export function defineDemo(program: Command, select: Select): void {
  program
    .command('demo')
    .option('--once', 'end after the summary')
    .option('--tour', 'also suggest what to look at, step by step')
    .option('--port <n>', `port of API and dashboard; 0 picks a free port (default: ${DEFAULT_PORT})`)
    .action((flags: DemoFlags) =>
      select(async (context) => (await import('../commands/demo.ts')).runDemo(context, flags)),
    );
}
