import { storeProfile } from '../../shared/compose/stores/index.ts';
import type { CliContext, Run } from './context.ts';
import { cliLogger } from './log.ts';

/** Runs a command with the store and the logger that its options name. @returns the exit code */
export function runCommand(run: Run, context: Omit<CliContext, 'store' | 'logger'>): Promise<number> {
  const { config, env, output, clock } = context;
  const logger = cliLogger(output, clock, config.verbose);
  return run({ ...context, store: storeProfile(config, env), logger });
}
