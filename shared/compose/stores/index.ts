import type { Config, Environment } from '../../config/config.ts';
import { awsStore } from './aws.ts';
import { embeddedStore } from './embedded.ts';
import type { StoreProfile } from './profile.ts';

type MakeProfile = (dataDir: string, env: Environment) => StoreProfile;

const PROFILES: Readonly<Record<Config['store'], MakeProfile>> = {
  embedded: (dataDir, env) => embeddedStore(dataDir, { env }),
  aws: (_, env) => awsStore(env),
};

/** The profile of the store that `--store` names. */
export function storeProfile({ store, dataDir }: Pick<Config, 'store' | 'dataDir'>, env: Environment): StoreProfile {
  return PROFILES[store](dataDir, env);
}
