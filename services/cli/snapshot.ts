import { statSync } from 'node:fs';
import type { Finding } from '../../shared/domain/policy/file/findings.ts';
import type { OrganizationSnapshot } from '../../shared/ports/cloud.ts';
import { StoreError } from '../../shared/ports/store-error.ts';
import type { CliContext } from './context.ts';
import { PolicyError } from './errors.ts';
import { type LoadedPolicy, withStore } from './session.ts';

/** What is doubtful in a policy, and in the light of which snapshot (ISO 8601; `null`: of none). */
export interface Compared {
  readonly findings: readonly Finding[];
  readonly snapshotAt: string | null;
}

/**
 * A policy's warnings in the light of the last snapshot, where an embedded store has one that tells all that the policy asks. Never asks AWS.
 * @throws PolicyError if the policy manages no account of it at all.
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

/** A policy can be checked without a store, so one that cannot be read is told of and done without. */
async function lastSnapshot(context: CliContext): Promise<OrganizationSnapshot | null> {
  // Where no store can be, none is loaded: that takes as long as the check itself.
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

/** Nothing but that: of a directory that cannot be looked at the store says what is wrong. */
function isAbsent(directory: string): boolean {
  try {
    statSync(directory);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}
