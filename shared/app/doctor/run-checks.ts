import { type CheckResult, fail, skipped } from '../../domain/check-result.ts';
import type { Clock } from '../../ports/system.ts';
import type { CheckId } from './check-ids.ts';
import { resultOfError } from './errors.ts';

/** One check. An error that it throws becomes its result and does not affect other checks. */
export interface Check {
  readonly id: CheckId;
  /** Checks that must not end with `fail` or `skipped` before this one runs. They come before it in the list. */
  readonly needs: readonly CheckId[];
  /** Time allowed in addition to the general timeout, ms, for checks with many rate-limited calls. */
  readonly moreMs?: number;
  run(): Promise<CheckResult>;
}

/** The result of one check. `doctor-answer.ts` has its form in `doctor --json`. */
export interface Finding extends CheckResult {
  readonly check: CheckId;
  readonly durationMs: number;
}

export interface ExamineOptions {
  readonly clock: Clock;
  /** Timeout of one check, without the checks that it waits for, ms. */
  readonly timeoutMs: number;
}

/** Runs all checks in parallel, each with a timeout. @returns one finding per check, in the given order. */
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
    return { check: check.id, durationMs: 0, ...skipped('notReached', `not checked: ${broken.check} did not pass`) };
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
  const message = `no answer within ${limitMs / 1_000} s: check the network, proxies and AWS_ENDPOINT_URL, or raise --timeout`;
  return fail('timeout', message, [`rollcall doctor --timeout ${Math.ceil((4 * limitMs) / 1_000)}s`]);
}
