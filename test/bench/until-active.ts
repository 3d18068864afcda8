import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox } from './sandbox.ts';

const SAMPLE_INTERVAL_MS = 250;

/**
 * Does the work and watches the accounts meanwhile.
 * @returns its result, and when every active account was first seen enrolled in Compute Optimizer (`performance.now()`); `null`: not by the end
 */
export async function watched<Result>(
  sandbox: Sandbox,
  work: Promise<Result>,
): Promise<{ readonly result: Result; readonly activeAt: number | null }> {
  let ended = false;
  const done = work.finally(() => {
    ended = true;
  });
  // The first failure is reported.
  const [result, activeAt] = await Promise.all([done, untilActive(sandbox, () => ended)]);
  return { result, activeAt };
}

async function untilActive(sandbox: Sandbox, ended: () => boolean): Promise<number | null> {
  for (;;) {
    const last = ended();
    const at = performance.now();
    if ((await notEnrolled(sandbox)) === 0) return at;
    if (last) return null;
    await sleep(SAMPLE_INTERVAL_MS);
  }
}

/** The number of active accounts that are not enrolled in Compute Optimizer. */
export async function notEnrolled(sandbox: Sandbox): Promise<number> {
  const active = (await sandbox.accounts()).filter(({ state }) => state === 'ACTIVE');
  return active.filter(({ computeOptimizer }) => computeOptimizer.status !== 'Active').length;
}
