import type { EngineOptions } from '../../services/sandbox/engine/options.ts';
import { createSandbox, type Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import type { Clock } from '../../services/sandbox/engine/types.ts';
import { SeededRandom } from './seeded-random.ts';

/** The share of histories in which the index of the Tagging API lags behind. */
const SHARE = 0.5;
/** The share of their accounts whose tags were changed when the history begins. */
const CHANGED = 0.4;
const MAX_LAG_MS = 30 * 60_000;
const LONG_BEFORE_MS = 2 * 60 * 60_000;

/**
 * The organization of a history. In some, the index of the Tagging API shows other tags than the accounts have, for up to 30 minutes. The live tags never
 * change in a history. It uses a separate random stream, so that other histories stay as they were.
 */
export function sandboxWithLaggingTags(seed: number, options: Partial<EngineOptions>, clock: Clock): Sandbox {
  const chance = new SeededRandom(Math.imul(seed, 0x2545f491) ^ 0x51ed270b);
  const tagIndexDelayMs = chance.happens(SHARE) ? Math.ceil(chance.random() * MAX_LAG_MS) : 0;
  let shiftMs = 0;
  const sandbox = createSandbox({ ...options, tagIndexDelayMs }, { clock: { now: () => clock.now() + shiftMs } });
  if (tagIndexDelayMs === 0) return sandbox;
  const changed = sandbox.accounts().filter(() => chance.happens(CHANGED));
  // So long before the history that the index shows these tags when the history begins.
  shiftMs = -LONG_BEFORE_MS;
  sandbox.changeAccounts({ update: changed.map(({ accountId }) => ({ accountId, tags: { env: 'former' } })) });
  shiftMs = 0;
  sandbox.changeAccounts({ update: changed.map(({ accountId, tags }) => ({ accountId, tags })) });
  return sandbox;
}
