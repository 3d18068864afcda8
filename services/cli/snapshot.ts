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
}

/**
 * Warnings about a policy, compared with the last snapshot if an embedded store has one with all attributes that the policy uses. Makes no
 * AWS call.
 * @throws PolicyError if the policy manages no account of the snapshot
 */
export async function comparedWithSnapshot(context: CliContext, loaded: LoadedPolicy): Promise<Compared> {
  const { policy, file, warnings } = loaded;
  const snapshot = context.store.local ? await lastSnapshot(context) : null;
  if (snapshot === null || (policy.usesTags && !snapshot.tags)) return { findings: warnings, snapshotAt: null };
  const { policyWarnings } = await import('../../shared/domain/policy/index.ts');
  const found = policyWarnings(policy, snapshot.accounts, context.clock.now());
  if ('error' in found) throw new PolicyError(file, [found.error]);
  return { findings: found, snapshotAt: new Date(snapshot.takenAt).toISOString() };
}

/** A policy can be checked without a store, so an unreadable store only causes a warning. */
async function lastSnapshot(context: CliContext): Promise<OrganizationSnapshot | null> {
  // Loading the store's code takes as long as the check itself, so skip it if there is no store.
  if (isAbsent(context.config.dataDir)) return null;
  try {
    return await withStore(context, true, ({ snapshots }) => snapshots.load());
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (!context.store.isMissing(error))
      context.output.note(`warning: not compared with the last snapshot: ${error.message}`);
    return null;
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
