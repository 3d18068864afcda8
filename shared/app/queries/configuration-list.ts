import type * as z from 'zod';
import type { AccountRecord } from '../../domain/account/record.ts';
import type { Condition } from '../../domain/enrollment/condition.ts';
import { rulesOut, targetPath } from '../../domain/enrollment/governing-configuration.ts';
import { ASSOCIABLE } from '../../domain/enrollment/kinds/index.ts';
import type { AccountId, GoverningConfiguration } from '../../domain/enrollment/model.ts';
import type { Verdict } from '../../domain/enrollment/verdict.ts';
import { mapParallel } from '../../domain/map-parallel.ts';
import type { CompiledPolicy } from '../../domain/policy/index.ts';
import type { Stores } from '../context.ts';
import { type OwnConfiguration, storedByRollcall } from '../guardrails/own-configurations.ts';
import type { configuration } from './answers/configurations.ts';

/** One organization enrollment configuration in `status --json`. */
export type ConfigurationRow = z.infer<typeof configuration>;
type Wanted = ConfigurationRow['wanted'][number];

/** What the accounts under one configuration show. */
interface Seen {
  readonly source: GoverningConfiguration;
  readonly accountId: AccountId;
  ruleMode: ConfigurationRow['ruleMode'];
  /** When the rule mode was recorded, ISO 8601. */
  recordedAt: string;
  accounts: number;
  differing: number;
  /** Differing accounts that need attention, because no run changes the configuration by itself. */
  stopped: number;
  readonly wanted: Set<Wanted>;
}

/** Maximum number of targets whose paths are read in parallel. */
const PARALLEL = 8;
const OPEN: ReadonlySet<Verdict> = new Set(['Drifted', 'Blocked', 'Stalled']);

/**
 * The configurations that apply to accounts, from the accounts' records, without a call to AWS. A configuration that applies to no account is
 * known only if Rollcall stored it.
 */
export class ConfigurationList {
  readonly #seen = new Map<string | null, Seen>();

  add({ accountId, conditions }: AccountRecord): void {
    const condition = conditions[ASSOCIABLE];
    const source = condition?.ruleModeSource;
    // AWS changes no account that is not active.
    if (!condition || source === undefined || condition.verdict === 'NotApplicable') return;
    const { ruleMode, changedAt, verdict, reason } = condition;
    const targetId = source.type === 'applied' ? accountId : source.targetId;
    const seen = this.#seen.get(targetId) ?? {
      source: { ...source, targetId },
      accountId,
      ruleMode,
      recordedAt: changedAt,
      accounts: 0,
      differing: 0,
      stopped: 0,
      wanted: new Set<Wanted>(),
    };
    if (changedAt > seen.recordedAt) Object.assign(seen, { ruleMode, recordedAt: changedAt });
    const differs = OPEN.has(verdict) && rulesOut(ruleMode, desiredOf(condition));
    seen.accounts += 1;
    seen.differing += Number(differs);
    seen.stopped += Number(differs && reason === 'organizationConfiguration');
    seen.wanted.add(wantedOf(condition));
    this.#seen.set(targetId, seen);
  }

  /** Those that need attention first, then by target. */
  async rows(stores: Stores, policy: CompiledPolicy | null, now: number): Promise<readonly ConfigurationRow[]> {
    const own = await storedByRollcall(stores.registers, now);
    const manages = policy?.policy.organization.automationConfigurations === 'manage';
    const rows = await mapParallel([...this.#seen.values()], PARALLEL, async (seen): Promise<ConfigurationRow> => {
      const { targetId } = seen.source;
      const ours = targetId === null ? undefined : own.get(targetId);
      const isOurs = ours?.ruleModes.includes(seen.ruleMode ?? 'NoneAllowed') === true;
      const target = await targetOf(stores, seen);
      return {
        targetId,
        target,
        ruleMode: seen.ruleMode,
        owner: isOurs ? 'rollcall' : 'other',
        wanted: [...seen.wanted].sort(),
        accounts: seen.accounts,
        differing: seen.differing,
        ...stateOf(seen, { isOurs, manages }),
      };
    });
    const shown = new Set(rows.map(({ targetId }) => targetId));
    const others = [...own].filter(([id]) => !shown.has(id)).map(([id, each]) => unseen(id, each));
    return [...rows, ...others].sort((a, b) => orderOf(a).localeCompare(orderOf(b)));
  }
}

const desiredOf = ({ desired, desiredRuleMode }: Condition) => ({ status: desired, ruleMode: desiredRuleMode });

function wantedOf({ desired, desiredRuleMode }: Condition): Wanted {
  if (desired === 'Inactive') return 'Inactive';
  return desiredRuleMode ?? desired ?? 'unmanaged';
}

async function targetOf({ snapshots }: Stores, { source, accountId }: Seen): Promise<string | null> {
  if (source.targetId === null || source.type === 'applied') return source.targetId;
  if (source.targetId.startsWith('r-')) return '/';
  const account = await snapshots.get(accountId);
  return targetPath(source, account);
}

interface Owner {
  readonly isOurs: boolean;
  /** Whether the policy manages configurations. */
  readonly manages: boolean;
}

type State = Pick<ConfigurationRow, 'status' | 'message'>;

function stateOf({ differing, stopped, wanted }: Seen, { isOurs, manages }: Owner): State {
  const isManaged = [...wanted].some((each) => each !== 'unmanaged');
  if (differing === 0) return { status: isManaged ? 'Compliant' : 'Unmanaged', message: null };
  if (stopped === 0) return { status: 'Drifted', message: 'a run changes it; rollcall plan shows how' };
  if (!manages) return { status: 'Needs attention', message: 'change or delete it in AWS, or change the policy' };
  const message = isOurs
    ? 'rollcall plan shows what would change'
    : 'somebody else stored it, so a change needs an approval; rollcall plan shows whether one is planned';
  return { status: 'Needs attention', message };
}

/** A configuration that Rollcall stored and that applies to no account. */
function unseen(targetId: string, { target, ruleModes, contested }: OwnConfiguration): ConfigurationRow {
  const [ruleMode = null] = ruleModes;
  const selector = target.startsWith('/') ? `ou:${target}` : target;
  const state: State = contested
    ? {
        status: 'Needs attention',
        message: `contested: somebody else keeps deleting it; to store it again: rollcall resume ${selector}`,
      }
    : { status: 'Unknown', message: 'no account is recorded under it' };
  const facts = { targetId, target, ruleMode, owner: 'rollcall' as const };
  return { ...facts, wanted: ruleMode === null ? [] : [ruleMode], accounts: 0, differing: 0, ...state };
}

const RANKS: readonly ConfigurationRow['status'][] = [
  'Needs attention',
  'Drifted',
  'Unknown',
  'Compliant',
  'Unmanaged',
];

/** Without the replacement, `/A B` would come before `/A/C`. */
function orderOf({ status, target, targetId }: ConfigurationRow): string {
  return `${RANKS.indexOf(status)} ${(target ?? targetId ?? '').replaceAll('/', '\u0001')}`;
}
