import { storeProfile } from '../../shared/compose/stores/index.ts';
import { openTracer, ProcessTracer } from '../../shared/compose/tracing.ts';
import type { CliContext, Run } from './context.ts';
import { cliLogger } from './log.ts';

/** Runs a command with the store and the logger that its options name. @returns the exit code */
export function runCommand(run: Run, context: Omit<CliContext, 'store' | 'logger' | 'tracer'>): Promise<number> {
  const { config, env, output, clock } = context;
  const logger = cliLogger(output, clock, config.verbose);
  const tracer = new ProcessTracer(async () => {
    const { readTracing } = await import('../../shared/config/tracing-env.ts');
    return openTracer(readTracing(env), logger);
  });
  const whole = { ...context, store: storeProfile(config, env), logger, tracer: tracer.get };
  return run(whole).finally(() => tracer.flush());
}
