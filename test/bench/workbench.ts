import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../shared/adapters/system/clock.ts';
import type { RunContext, Settings } from '../../shared/app/context.ts';
import { createRuntime, type Runtime } from '../../shared/compose/runtime.ts';
import { embeddedStore } from '../../shared/compose/stores/embedded.ts';
import { type CompiledPolicy, compilePolicy, parsePolicy } from '../../shared/domain/policy/index.ts';
import type { Clock, Logger } from '../../shared/ports/system.ts';

/** A directory that is gone afterwards. */
export async function inDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-bench-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Warnings belong to what is measured (a listing that breaks off makes a figure worthless), so they are shown. */
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
  /** Beyond the 1000 a second that a policy file may ask for where the figure is about no limit at all. */
  readonly callsPerSecond: number;
  readonly concurrency: number;
}

/** A policy from its text, with guardrails out of the way: they are not what is measured. */
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

/** What a task was asked, from its command line. */
export function taskInput(): unknown {
  return JSON.parse(process.argv[2] ?? '{}');
}

/** A task's one line. */
export function answer(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** The most memory that this process ever had resident, MB; maxRSS is in KiB [process.resourceUsage]. */
export const peakMb = (): number => (process.resourceUsage().maxRSS * 1024) / 1e6;

export const elapsed = (since: number): number => performance.now() - since;
