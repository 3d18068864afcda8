import { type CheckId, type CheckResult, type Finding, fail, skipped } from '../../domain/doctor-checks.ts';
import type { Clock } from '../../ports/system.ts';
import { resultOfError } from './errors.ts';

/** One thing to look at. Whatever it throws becomes its result, and no other check hears of it. */
export interface Check {
  readonly id: CheckId;
  /** Checks that have to end without `fail` or `skipped` before this one means anything; they stand before it in the list. */
  readonly needs: readonly CheckId[];
  /** Time that it may take beside what every check may, ms: for many calls under a pace. */
  readonly moreMs?: number;
  run(): Promise<CheckResult>;
}

export interface ExamineOptions {
  readonly clock: Clock;
  /** The longest that one check may take, without what it waits for, ms. */
  readonly timeoutMs: number;
}

/** Runs all checks side by side, each bounded in time. @returns one finding a check, in the order given. */
export async function examine(checks: readonly Check[], options: ExamineOptions): Promise<readonly Finding[]> {
  const underway = new Map<CheckId, Promise<Finding>>();
  for (const check of checks) {
    const needed = check.needs.flatMap((id) => underway.get(id) ?? []);
    underway.set(check.id, examineOne(check, needed, options));
  }
  return Promise.all(underway.values());
}

async function examineOne(
  check: Check,
  needed: readonly Promise<Finding>[],
  { clock, timeoutMs }: ExamineOptions,
): Promise<Finding> {
  const before = await Promise.all(needed);
  const broken = before.find(({ status }) => status === 'fail' || status === 'skipped');
  if (broken !== undefined) {
    return { check: check.id, durationMs: 0, ...skipped('notReached', `not looked at: ${broken.check} did not pass`) };
  }
  const startedAt = clock.now();
  const over = new AbortController();
  const limitMs = timeoutMs + (check.moreMs ?? 0);
  const tooLong = clock.sleep(limitMs, over.signal).then(() => late(limitMs));
  try {
    const result = await Promise.race([settled(check), tooLong]);
    return { check: check.id, durationMs: clock.now() - startedAt, ...result };
  } finally {
    over.abort();
  }
}

async function settled(check: Check): Promise<CheckResult> {
  try {
    return await check.run();
  } catch (error) {
    return resultOfError(error);
  }
}

function late(limitMs: number): CheckResult {
  const message = `no answer within ${limitMs / 1_000} s: check the network, proxies and AWS_ENDPOINT_URL, or allow more with --timeout`;
  return fail('timeout', message, [`rollcall doctor --timeout ${Math.ceil((4 * limitMs) / 1_000)}s`]);
}
