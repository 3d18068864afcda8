import type { App } from '../../shared/compose/app.ts';
import type { CompiledPolicy } from '../../shared/domain/policy/index.ts';

/** Does the work, and announces beside it what the policy's `notify` asks for; nothing in the work waits for that. */
export async function announcing<T>({ deps }: App, policy: CompiledPolicy, work: () => Promise<T>): Promise<T> {
  if (policy.policy.notify === null) return work();
  const [{ announce, announceLast }, { openOutlets }] = await Promise.all([
    import('../../shared/app/announce.ts'),
    import('../../shared/compose/outlets.ts'),
  ]);
  const outlets = openOutlets(policy, deps);
  const over = new AbortController();
  const telling = announce(deps, outlets, over.signal);
  try {
    return await work();
  } finally {
    over.abort();
    await telling;
    await announceLast(deps, outlets);
    outlets.close();
  }
}
