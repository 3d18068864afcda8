import { setTimeout as sleep } from 'node:timers/promises';
import { runTask, startSandbox } from './child.ts';
import { type Figure, figure } from './figure.ts';
import type { Sandbox } from './sandbox.ts';
import { applied } from './throttled.ts';

const MEMBERS = 10_000;
const OUS = 30;
/** AWS lists this many accounts in one page [API_automation_ListAccounts]. */
const PER_PAGE = 1_000;
const MOST_CALLS = 30;
const LIMITS = { callsPerSecond: 1_000_000, concurrency: 16 };
const WITHOUT_RULES = ['/Workloads/Dev', '/Sandbox', '/Canary'];
const POLICY = `organization: { automationConfigurations: manage }
defaults: { computeOptimizer: Active, automation: Active, organizationRules: AnyAllowed }
rules:
  - { id: without, match: { ou: [${WITHOUT_RULES.join(', ')}] }, organizationRules: NoneAllowed }
`;

interface Seen {
  readonly puts: number;
  readonly pages: number;
}

async function seenBy(sandbox: Sandbox): Promise<Seen> {
  const puts = (await sandbox.calls()).get('PutOrganizationEnrollmentConfiguration')?.count ?? 0;
  return { puts, pages: await sandbox.callsTo('aco-automation', 'ListAccounts') };
}

/** Automation Active with AnyAllowed in the whole organization, except in three OUs. */
export async function configurations(): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ accounts: MEMBERS, ous: OUS, drift: 0, configurationDelayMs: 5_000 });
  try {
    const start = performance.now();
    let lastPut: Seen = { puts: 0, pages: 0 };
    let done = false;
    const work = runTask('apply', { ...LIMITS, policy: POLICY }, applied, sandbox).finally(() => {
      done = true;
    });
    while (!done) {
      const seen = await seenBy(sandbox);
      if (seen.puts > lastPut.puts) lastPut = seen;
      await Promise.race([sleep(200), work]);
    }
    const { changes } = await work;
    const calls = await sandbox.mutatingCalls();
    const { pages } = await seenBy(sandbox);
    const open = (await sandbox.accounts()).filter(({ state, management }) => state === 'ACTIVE' && !management);
    const left = open.filter(({ ou, automation: { status, organizationRuleMode } }) => {
      const wanted = WITHOUT_RULES.includes(ou) ? 'NoneAllowed' : 'AnyAllowed';
      return status !== 'Active' || organizationRuleMode !== wanted;
    }).length;
    if (left > 0) throw new Error(`${left} accounts differ from the policy: ${JSON.stringify(changes)}`);
    const detail = { changes, seconds: Math.round((performance.now() - start) / 1000), listingPages: pages };
    return [
      figure({
        name: `mutating calls for Automation in ${MEMBERS} accounts and ${OUS} OUs, automationConfigurations: manage`,
        ...{ unit: 'calls', target: { atMost: MOST_CALLS }, runs: [calls.count], detail },
        bound: '4: the root and the three OUs that differ',
      }),
      figure({
        name: 'the same: pages of the Automation listing after the last call',
        ...{ unit: 'pages', target: { atMost: MEMBERS / PER_PAGE }, runs: [pages - lastPut.pages] },
        bound: `${MEMBERS} accounts / ${PER_PAGE} a page`,
      }),
    ];
  } finally {
    await sandbox.close();
  }
}
