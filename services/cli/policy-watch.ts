import { readPolicyFile } from '../../shared/config/policy-file.ts';
import type { CliContext } from './context.ts';
import { reportLines, reportOf } from './errors.ts';
import { type LoadedPolicy, policyOf } from './session.ts';

/** How often the file is read, ms. It is polled, because file watchers miss a symbolic link that is replaced (ConfigMaps). */
const POLL_MS = 5_000;

/**
 * Polls the policy file until the policy changes, or `stop` aborts. An invalid policy is reported once, and the current one stays in force.
 * @returns `null` if `stop` aborted
 */
export async function nextPolicy(
  context: Pick<CliContext, 'clock' | 'env'>,
  inForce: LoadedPolicy,
  stop: AbortSignal,
  say: (text: string) => void,
): Promise<LoadedPolicy | null> {
  const { file } = inForce;
  let reported = '';
  /** The text that was parsed last; `null`: the file could not be read. */
  let known: Buffer | null = Buffer.from(inForce.source);
  for (;;) {
    await context.clock.sleep(POLL_MS, stop);
    if (stop.aborted) return null;
    const before: Buffer | null = known;
    known = null;
    try {
      known = Buffer.from(readPolicyFile(file));
      // Parsing takes most of the time of a poll.
      if (before?.equals(known) === true) continue;
      const found = await policyOf({ file, source: known }, context);
      if (found.policy.hash !== inForce.policy.hash) return found;
      reported = '';
    } catch (error) {
      const text = reportLines(reportOf(error)).join('\n');
      if (text !== reported) say(`the changed policy cannot be used, ${shortHash(inForce)} stays in force:\n${text}`);
      reported = text;
    }
  }
}

export const shortHash = ({ policy }: LoadedPolicy): string => policy.hash.slice(0, 12);
