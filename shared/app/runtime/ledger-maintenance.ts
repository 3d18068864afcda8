import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Deps } from '../context.ts';
import { type DigestDeps, writeDigest } from '../ledger/digest.ts';
import { pruneOld, type RetentionDeps } from '../ledger/retention.ts';
import type { Chore } from './daemon.ts';

/** What the ledger needs of a daemon: the day's digest, and that what is older than the retention goes. A bounded piece each time. */
export function ledgerTasks(deps: DigestDeps & RetentionDeps, { policy }: CompiledPolicy): readonly Chore[] {
  return [
    { name: 'writing the digest', run: () => writeDigest(deps) },
    ...(policy.retentionMs === null
      ? []
      : [{ name: 'pruning the ledger', run: () => pruneOld(deps, policy.retentionMs) }]),
  ];
}

/** For a run that ends: pruning goes on for this long at most, ms. */
const LAST_MS = 5_000;

/**
 * The same at the end of a single run, for who has no daemon. The run is over by then: what goes wrong here is told, does not undo it, and is tried
 * again by the next one.
 */
export async function keepLedger(deps: Deps, { policy }: CompiledPolicy): Promise<void> {
  const { clock, logger } = deps;
  const end = clock.now() + LAST_MS;
  try {
    await writeDigest(deps);
    for (let more = true; more && clock.now() < end; ) more = (await pruneOld(deps, policy.retentionMs)).more;
  } catch (error) {
    logger.warn('the ledger could not be looked after; the next run tries again', { error });
  }
}
