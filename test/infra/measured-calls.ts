import { toStoredRecord } from '../../shared/adapters/stored-shapes.ts';
import {
  byKind,
  ENROLLMENT_IDS,
  type EnrollmentId,
  FIRST_KIND,
  kindOf,
} from '../../shared/domain/enrollment/kinds/index.ts';
import { startFaultProxy } from '../adapters/aws/faults.ts';
import { type Deployment, startDeployment } from '../services/handlers/deployment.ts';
import { type Functions, functionsOf } from '../services/handlers/functions.ts';
import {
  type Calls,
  hundredths,
  type KindCalls,
  type Measured,
  rounded,
  roundedScan,
  type ScanCalls,
  sum,
} from './measured.ts';
import { type Meter, startMeter } from './meter.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Ticks of an hour in which no scan is due. A multiple of five, because a tick runs some tasks every five minutes. */
const IDLE_TICKS = 20;
/** After the last entry was published, the transparency log gets it within this many ticks. */
const QUIET_TICKS = 6;

export interface Sizes {
  readonly accounts: number;
  /** The kinds that the policy manages. */
  readonly kinds: readonly EnrollmentId[];
  /** Number of accounts that drift in each kind. */
  readonly changed: number;
  /** The kinds in which they drift, each in accounts of its own: two remediations of one account at the same time conflict and repeat reads. */
  readonly drifting: readonly EnrollmentId[];
  readonly idleTicks?: number;
  /** Whether a rule matches tags, which no account has. */
  readonly tagRule?: boolean;
}

const TAG_RULE = "[{ id: tagged, match: { tags: { team: [none] } }, mode: 'off' }]";

interface World {
  readonly deployment: Deployment;
  readonly functions: Functions;
  /** Measures the calls of `work`. */
  during(work: () => Promise<void>): Promise<Calls>;
}

async function withWorld<T>(
  { accounts, kinds, tagRule = false }: Sizes,
  work: (world: World) => Promise<T>,
): Promise<T> {
  let meter: Meter | null = null;
  let queue: Awaited<ReturnType<typeof startFaultProxy>> | null = null;
  const doors = {
    table: async (endpoint: string) => (meter = await startMeter(endpoint)),
    queue: async (endpoint: string) => (queue = await startFaultProxy(endpoint)),
  };
  const { deployment, close } = await startDeployment({
    sandbox: { accounts, drift: 0 },
    // With a change cap, as in real policies, because counting changes writes to the table.
    policy: {
      ...byKind((id) => (kinds.includes(id) ? 'Active' : 'unmanaged')),
      ...(tagRule && { more: `rules: ${TAG_RULE}` }),
      ...{ callsPerSecond: 'auto', concurrency: 32, guardrails: '{ maxChanges: { percent: 60, atLeast: 10 } }' },
    },
    // A slower rate than in other tests: each scan must end within one run of the function, on a busy machine too.
    speed: 2,
    doors,
  });
  let batches = 0;
  const functions = functionsOf(deployment);
  const counted: Functions = {
    ...functions,
    async work() {
      const done = await functions.work();
      if (done !== null) batches += 1;
      return done;
    },
  };
  const { sandbox } = deployment.sandbox;
  const now = (): Calls => {
    if (meter === null || queue === null) throw new Error('nothing was opened');
    const calls = sandbox.calls().filter(({ service }) => service !== 'events');
    return {
      ...meter.units,
      ...{ sqs: queue.calls.length, events: deployment.events().length, batches },
      calls: calls.reduce((sum, { count }) => sum + count, 0),
    };
  };
  try {
    return await work({
      ...{ deployment, functions: counted },
      async during(part) {
        const before = now();
        await part();
        return sum([now(), 1], [before, -1]);
      },
    });
  } finally {
    await close();
  }
}

/** The calls of a scan and of the work that follows, until everything is done, published and in the transparency log, and the number of ticks. */
async function scanAndAfter({ deployment, functions, during }: World): Promise<readonly [Calls, ticks: number]> {
  let ticks = 0;
  const all = await during(async () => {
    const { scanRequested } = await functions.tick();
    ticks += 1;
    if (scanRequested === null) throw new Error('no scan was due');
    for (const { result } of await functions.scan()) if (result !== 'done') throw new Error(`the scan is ${result}`);
    for (let batch = await functions.work(); batch !== null; batch = await functions.work()) {
      if (batch.failed.length > 0) throw new Error(`${batch.failed.length} messages failed`);
    }
    for (let quiet = 0; quiet < QUIET_TICKS; ticks += 1) {
      deployment.clock.advance(MINUTE_MS);
      const { published } = await functions.tick();
      quiet = published > 0 ? 0 : quiet + 1;
    }
  });
  return [all, ticks];
}

/** Without the ticks during the measurement. */
export interface Phases {
  readonly tick: Calls;
  readonly adoption: Calls;
  readonly quiet: Calls;
  readonly changes: Calls;
  /** Average size of an account's record. */
  readonly recordKb: number;
}

/**
 * Runs the real functions against simulated services: the first scan of an organization, most of an hour of ticks, a scan that finds no
 * changes, and one after accounts have drifted.
 */
export function measurePhases(sizes: Sizes): Promise<Phases> {
  const { kinds, changed, drifting, idleTicks = IDLE_TICKS } = sizes;
  return withWorld(sizes, async (world) => {
    const { deployment, functions, during } = world;
    const { clock, sandbox } = deployment;
    const open = sandbox.sandbox.accounts().filter(({ state }) => state === 'ACTIVE');
    for (const enrollment of kinds) {
      const changes = open.map(({ accountId }) => ({ accountId, enrollment, status: 'Active' as const }));
      sandbox.sandbox.drift({ changes });
    }
    const start = clock.now();
    const adoption = await scanAndAfter(world);
    const begun = clock.now();
    const idle = await during(async () => {
      for (let n = 0; n < idleTicks; n += 1) {
        clock.advanceTo(begun + n * MINUTE_MS);
        if ((await functions.tick()).scanRequested !== null) throw new Error('a scan was due among idle ticks');
      }
    });
    const tick = sum([idle, 1 / idleTicks]);
    clock.advanceTo(start + HOUR_MS + MINUTE_MS);
    const quiet = await scanAndAfter(world);
    clock.advanceTo(start + 2 * HOUR_MS + MINUTE_MS);
    const members = open.filter(({ management }) => !management);
    const changes = drifting.flatMap((enrollment, index) =>
      members
        .slice(index * changed, (index + 1) * changed)
        .map(({ accountId }) => ({ accountId, enrollment, status: driftedStatus(enrollment) })),
    );
    sandbox.sandbox.drift({ changes });
    const drifted = await scanAndAfter(world);
    const withoutTicks = ([all, ticks]: readonly [Calls, number]): Calls => sum([all, 1], [tick, -ticks]);
    return {
      tick,
      adoption: withoutTicks(adoption),
      quiet: withoutTicks(quiet),
      changes: sum([withoutTicks(drifted), 1], [withoutTicks(quiet), -1]),
      recordKb: await recordKb(
        deployment,
        open.map(({ accountId }) => accountId),
      ),
    };
  });
}

/** A kind with a cool-down could not be enabled again immediately after an opt-out. */
const driftedStatus = (enrollment: EnrollmentId): 'Inactive' | 'Failed' =>
  kindOf(enrollment).coolDownMs === null ? 'Inactive' : 'Failed';

async function recordKb(deployment: Deployment, accountIds: readonly string[]): Promise<number> {
  const { stores } = await deployment.compose('cli')();
  let bytes = 0;
  for (const accountId of accountIds) {
    const record = await stores.records.get(accountId);
    if (record === null) throw new Error(`account ${accountId} has no record`);
    bytes += JSON.stringify(toStoredRecord(record)).length;
  }
  return bytes / accountIds.length / 1024;
}

/**
 * Measures two sizes of organizations, to separate the calls per account from the constant ones, under a policy that manages the first kind, and for
 * every other kind under one that manages both.
 */
export async function measureCalls(sizes: {
  readonly small: number;
  readonly large: number;
  readonly changed: number;
}): Promise<Measured> {
  const { id: firstId } = FIRST_KIND;
  const { tick, ...first } = await measureKinds([firstId], sizes);
  const found: Partial<Record<EnrollmentId, KindCalls>> = { [firstId]: first };
  for (const id of ENROLLMENT_IDS.filter((each) => each !== firstId)) {
    const both = await measureKinds([firstId, id], sizes);
    const more = (part: (calls: KindCalls) => Calls): Calls => sum([part(both), 1], [part(first), -1]);
    found[id] = {
      scan: { base: more(({ scan }) => scan.base), perAccount: more(({ scan }) => scan.perAccount) },
      joined: more(({ joined }) => joined),
      change: both.change,
      recordKb: both.recordKb - first.recordKb,
    };
  }
  const tagged = await measureKinds([firstId], sizes, true);
  const forTags = (part: (scan: ScanCalls) => Calls): Calls => sum([part(tagged.scan), 1], [part(first.scan), -1]);
  return {
    tick: rounded(tick),
    tagRule: roundedScan({ base: forTags(({ base }) => base), perAccount: forTags(({ perAccount }) => perAccount) }),
    kinds: byKind((id) => {
      const of = found[id];
      if (of === undefined) throw new Error(`${id} was not measured`);
      return {
        scan: roundedScan(of.scan),
        joined: rounded(of.joined),
        change: rounded(of.change),
        recordKb: hundredths(of.recordKb),
      };
    }),
  };
}

async function measureKinds(
  kinds: readonly EnrollmentId[],
  { small, large, changed }: { readonly small: number; readonly large: number; readonly changed: number },
  tagRule = false,
): Promise<KindCalls & { readonly tick: Calls }> {
  const common = { kinds, changed, drifting: kinds.slice(-1), tagRule };
  const few = await measurePhases({ accounts: small, ...common });
  const many = await measurePhases({ accounts: large, ...common });
  const grown = 1 / (large - small);
  const perAccount = sum([many.quiet, grown], [few.quiet, -grown]);
  const adopted = sum([many.adoption, grown], [few.adoption, -grown]);
  return {
    tick: few.tick,
    scan: { base: sum([few.quiet, 1], [perAccount, -small]), perAccount },
    joined: sum([adopted, 1], [perAccount, -1]),
    change: sum([few.changes, 1 / changed]),
    recordKb: many.recordKb,
  };
}
