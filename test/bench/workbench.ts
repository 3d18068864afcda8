import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../shared/adapters/system/clock.ts';
import type { RunContext, Settings } from '../../shared/app/context.ts';
import { createRuntime, type Runtime } from '../../shared/compose/runtime.ts';
import { embeddedStore } from '../../shared/compose/stores/embedded.ts';
import { type CompiledPolicy, compilePolicy, parsePolicy } from '../../shared/domain/policy/index.ts';
import type { Clock, Logger } from '../../shared/ports/system.ts';

/** A temporary directory, removed afterwards. */
export async function inDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Shows warnings, because they can invalidate a figure, such as an interrupted listing. */
export const LOGGER: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => report(message, fields),
  error: (message, fields) => report(message, fields),
};

function report(message: string, fields: unknown): void {
  process.stderr.write(`${message} ${JSON.stringify(fields ?? {})}\n`);
}

export interface Limits {
  /** May exceed the maximum of a policy file (1,000 per second) for figures without a limit. */
  readonly callsPerSecond: number;
  readonly concurrency: number;
}

/** A policy from its text, with guardrails that never trip. */
export function policyOf(text: string, limits: Limits): CompiledPolicy {
  const guardrails = 'guardrails: { maxChanges: { percent: 100, atLeast: 1 } }';
  const parsed = parsePolicy(`version: 1\n${guardrails}\n${text}`, { file: 'bench.yaml', now: Date.now() });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.findings));
  return compilePolicy({ ...parsed.policy, limits });
}

export const COMPUTE_OPTIMIZER_ONLY = 'defaults: { computeOptimizer: Active }\n';

/** Rollcall as `rollcall apply` composes it, in this process. */
export async function withApp<T>(
  dataDir: string,
  policy: CompiledPolicy,
  work: (app: Runtime, run: RunContext) => Promise<T>,
  settings: Partial<Settings> = {},
  clock: Clock = systemClock,
): Promise<T> {
  const app = await createRuntime(embeddedStore(dataDir), { policy, logger: LOGGER, settings, clock });
  try {
    return await work(app, { runId: app.deps.newId(), policy, planHash: null });
  } finally {
    await app.close();
  }
}

/** The request of a task, from its command line. */
export function taskInput(): unknown {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** Prints the answer of a task, one JSON line. */
export function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** The peak resident memory of this process, MB; maxRSS is in KiB [process.resourceUsage]. */
export const peakMb = (): number => (process.resourceUsage().maxRSS * 1024) / 1e6;

export const elapsed = (since: number): number => performance.now() - since;
