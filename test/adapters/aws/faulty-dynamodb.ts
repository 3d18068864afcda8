import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { AwsStores } from '../../../shared/adapters/aws/store.ts';
import { account } from '../../contract/samples.ts';
import { type FailureOutcome, type FaultProxy, startFaultProxy } from './faults.ts';
import { type Bench, immediateClock, makeBench, type SimulatedAws, startSimulatedAws } from './stores.ts';

export let aws: SimulatedAws;
export let bench: Bench;
export let proxy: FaultProxy;
export let stores: AwsStores;
export let clock: ReturnType<typeof immediateClock>;
export const A = account(1);

export async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(...page);
  return found;
}

/** Applies `outcome` to the first `times` calls of an operation. */
export function failCalls(operation: string, times: number, outcome: FailureOutcome): void {
  let left = times;
  proxy.decide = (call) => {
    if (call.operation !== operation || left === 0) return undefined;
    left -= 1;
    return outcome;
  };
}

/** Registers set-up and clean-up for every test of the calling file. */
export function useFaultyDynamodb(): void {
  beforeAll(async () => {
    aws = await startSimulatedAws();
  });
  afterAll(() => aws.close());
  beforeEach(async () => {
    bench = await makeBench(aws);
    proxy = await startFaultProxy(aws.dynamodb.endpoint);
    clock = immediateClock();
    const dynamodb = { ...aws.dynamodb, endpoint: proxy.endpoint };
    stores = await bench.open({ clock, random: () => 0.5, dynamodb, check: false });
  });
  afterEach(async () => {
    await bench.dispose();
    await proxy.close();
  });
}
