import type { CliContext } from './context.ts';
import { tell, toldLines } from './errors.ts';
import { type LoadedPolicy, loadPolicy } from './session.ts';

/** How often the file is read, ms. By reading, because a change notice is lost where the file is a link that is turned (ConfigMaps). */
const LOOK_MS = 5_000;

/**
 * Looks at the policy's file until it means something else, or `stop`. A broken one is told of, once, and the one in force stays.
 * @returns `null` if it was stopped.
 */
export async function nextPolicy(
  context: CliContext,
  inForce: LoadedPolicy,
  stop: AbortSignal,
  say: (text: string) => void,
): Promise<LoadedPolicy | null> {
  let told = '';
  for (;;) {
    await context.clock.sleep(LOOK_MS, stop);
    if (stop.aborted) return null;
    try {
      const found = await loadPolicy(context, inForce.file);
      if (found.policy.hash !== inForce.policy.hash) return found;
      told = '';
    } catch (error) {
      const text = toldLines(tell(error)).join('\n');
      if (text !== told) say(`the changed policy cannot be used, ${shortHash(inForce)} stays in force:\n${text}`);
      told = text;
    }
  }
}

export const shortHash = ({ policy }: LoadedPolicy): string => policy.hash.slice(0, 12);
