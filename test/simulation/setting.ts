import type { Clock } from '../../services/sandbox/engine/types.ts';
import { ConfigurationAdministrators } from './configuration-administrators.ts';
import { sandboxWithLaggingTags } from './lagging-tags.ts';
import { ManagedHub } from './managed-hub.ts';
import { paced, policyTexts } from './policies.ts';
import { RareProfile } from './rare-profile.ts';
import type { SeededRandom } from './seeded-random.ts';
import { callerOf, worldOf } from './world.ts';

/**
 * What a seed decides before its history begins: the organization, its policies, and what differs from other histories.
 * @param mixed whether processes of another version take part. Their policies have no value that only this version knows.
 */
export function settingOf(seed: number, chance: SeededRandom, clock: Clock, mixed: boolean) {
  const administrators = new ConfigurationAdministrators(seed);
  const profile = new RareProfile(seed, administrators.automation === 'manage');
  const world = { ...worldOf(seed, chance), ...administrators.world, ...profile.world };
  const sandbox = sandboxWithLaggingTags(seed, world, clock);
  const caller = callerOf(sandbox);
  const hub = new ManagedHub(seed, sandbox);
  const [first] = sandbox.accounts().filter(({ management }) => !management);
  const drawn = policyTexts(chance, first?.accountId ?? caller.accountId, administrators.automation);
  // A profile keeps its own pace.
  const texts = hub.manage(profile.texts(mixed ? drawn : paced(seed, drawn)));
  return { administrators, profile, sandbox, caller, drifting: hub.drifting, texts };
}
