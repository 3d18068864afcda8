import { statSync } from 'node:fs';
import type { Finding } from '../../shared/domain/policy/file/findings.ts';
import type { OrganizationSnapshot } from '../../shared/ports/cloud.ts';
import { StoreError } from '../../shared/ports/store-error.ts';
import type { CliContext } from './context.ts';
import { PolicyError } from './errors.ts';
import { type LoadedPolicy, withStore } from './session.ts';

export interface Compared {
  readonly findings: readonly Finding[];
  /** ISO 8601; `null`: the policy was not compared with a snapshot. */
  readonly snapshotAt: string | null;
  /** Whether it was not compared because there is no scan yet. */
  readonly noScan: boolean;
}

/**
 * Warnings about a policy, without AWS calls. If the embedded store has a snapshot (the accounts as the last scan read them) with all
 * attributes that the policy uses, the policy is also compared with these accounts.
 * @throws PolicyError if the policy manages no account of the snapshot
 */
export async function comparedWithSnapshot(context: CliContext, loaded: LoadedPolicy): Promise<Compared> {
  const { policy, warnings } = loaded;
  const snapshot = context.store.local ? await lastSnapshot(context) : 'unread';
  if (snapshot === null || snapshot === 'unread' || (policy.usesTags && !snapshot.tags))
    return { findings: warnings, snapshotAt: null, noScan: snapshot === null };
  const findings = await warningsFor(loaded, snapshot, context.clock.now());
  return { findings, snapshotAt: new Date(snapshot.takenAt).toISOString(), noScan: false };
}

/** Warnings about a policy for this organization. @throws PolicyError if the policy manages no account of it */
export async function warningsFor(
  { file, policy }: LoadedPolicy,
  { accounts }: Pick<OrganizationSnapshot, 'accounts'>,
  now: number,
): Promise<readonly Finding[]> {
  const { policyWarnings } = await import('../../shared/domain/policy/index.ts');
  const found = policyWarnings(policy, accounts, now);
  if ('error' in found) throw new PolicyError(file, [found.error]);
  return found;
}

/** An unreadable store only causes a warning, because a policy can be checked without one. */
async function lastSnapshot(context: CliContext): Promise<OrganizationSnapshot | 'unread' | null> {
  // Loading the store's code takes as long as the whole check, so it is not loaded if there is no store.
  if (isAbsent(context.config.dataDir)) return null;
  try {
    return await withStore(context, true, ({ snapshots }) => snapshots.load());
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (context.store.isMissing(error)) return null;
    context.output.note(`warning: not compared with the last snapshot: ${error.message}`);
    return 'unread';
  }
}

/** False for a directory that cannot be accessed: opening the store reports that error. */
function isAbsent(directory: string): boolean {
  try {
    statSync(directory);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}
