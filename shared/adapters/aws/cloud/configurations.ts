import type { AccountId, OrganizationConfiguration } from '../../../domain/enrollment/model.ts';
import { MAX_ACCOUNTS, PageBounds } from '../../../domain/page-bounds.ts';
import type { Configurations } from '../../../ports/cloud.ts';
import { endlessListing } from './cloud-errors.ts';
import { CONFIGURATIONS_PER_PAGE, configurationDriver } from './kinds/configurations.ts';
import type { WireRequest } from './kinds/driver.ts';

/**
 * A listing is rejected as endless above this many configurations per account. Each account, each OU and the root has at most one, and there are fewer OUs
 * than accounts.
 */
const TARGETS_PER_ACCOUNT = 2;

interface OwnAnswer {
  readonly answer: unknown;
  readonly requestId: string | null;
  /** The caller's account. */
  readonly accountId: AccountId | null;
}

interface ConfigurationsOptions {
  /** Prepares one call with the caller's credentials. */
  readonly prepare: (request: WireRequest) => Promise<() => Promise<OwnAnswer>>;
  readonly warn?: (message: string) => void;
  readonly maxAccounts?: number | undefined;
}

/** Implements `Configurations` of the Cloud port. `prepare` decides how requests are sent, so the simulation uses the same code without a network. */
export function createConfigurations(options: ConfigurationsOptions): Configurations {
  const { prepare, warn = () => undefined, maxAccounts = MAX_ACCOUNTS } = options;
  const prepareChange = async (request: WireRequest) => {
    const send = await prepare(request);
    return async () => ({ requestId: (await send()).requestId });
  };
  return {
    async list({ retry }) {
      const found: OrganizationConfiguration[] = [];
      const maxItems = TARGETS_PER_ACCOUNT * maxAccounts;
      const bounds = new PageBounds({ itemsPerPage: CONFIGURATIONS_PER_PAGE, maxItems });
      const leftOut: string[] = [];
      for (let token: string | null = null; ; ) {
        const request = configurationDriver.list(token);
        const { answer, accountId } = await retry(async () => {
          const send = await prepare(request);
          return send();
        });
        const answered = { key: request.key, session: { accountId } };
        const { items, nextToken, unknownTypes } = configurationDriver.parsePage(answer, answered);
        found.push(...items);
        leftOut.push(...unknownTypes);
        const count = items.length + unknownTypes.length;
        const why = bounds.broken({ items: count, total: found.length + leftOut.length, token: nextToken });
        if (why !== null) throw endlessListing({ ...request.key, accountId }, why);
        if (nextToken === null) break;
        token = nextToken;
      }
      if (leftOut.length > 0) warn(leftOutText(leftOut));
      return found;
    },
    preparePut: (target, ruleMode, clientToken) =>
      prepareChange(configurationDriver.put(target, ruleMode, clientToken)),
    prepareDelete: (target, clientToken) => prepareChange(configurationDriver.delete(target, clientToken)),
  };
}

/** Maximum number of target types in the warning. */
const NAMED = 3;

/** @param types the target type of each configuration that is left out */
function leftOutText(types: readonly string[]): string {
  const distinct = [...new Set(types)];
  const named = distinct.slice(0, NAMED).map((type) => JSON.stringify(type));
  const list = [...named, ...(distinct.length > NAMED ? ['…'] : [])].join(', ');
  return types.length === 1
    ? `1 configuration is left out, because this version does not know its target type: ${list}`
    : `${types.length} configurations are left out, because this version does not know their target types: ${list}`;
}
