import type { Deps, RunContext } from '../context.ts';
import { POLICY } from '../coordination/policy-in-force.ts';
import { writeTyped } from '../coordination/typed-register.ts';
import { entryContext } from '../ledger/organization-entry.ts';
import { pendingEntry, readRecorded } from '../ledger/pending-entries.ts';

/** A longer policy is not kept with its entry, characters: an item of DynamoDB holds 400 kB, and an event of EventBridge 256 kB. */
const MAX_POLICY_TEXT = 64_000;

/** Stores the policy of a scan as the policy in force, and records a change in the organization's chain. */
export async function notePolicy(deps: Deps, run: RunContext): Promise<void> {
  const known = await readPolicy(deps);
  const { hash } = run.policy;
  if (known?.value.hash === hash) return;
  const message = known === null ? 'the first policy' : `replaces ${known.value.hash}`;
  const { file, text } = run.policy.policy.source;
  const detail = text.length > MAX_POLICY_TEXT ? { message } : { message, policy: { file, text } };
  const entry = { type: 'PolicyChanged', reason: null, detail } as const;
  const unrecorded = await pendingEntry(deps.ledger, entryContext(deps, run), entry);
  await writeTyped(deps.registers, POLICY, { hash, unrecorded }, known?.version ?? null);
  await readPolicy(deps);
}

/** Reads the policy in force. Before that, it writes the policy's entry if the process that stored the policy ended before it did so. */
function readPolicy(deps: Deps) {
  return readRecorded(deps, POLICY, (policy, unrecorded) => ({ ...policy, unrecorded }));
}
