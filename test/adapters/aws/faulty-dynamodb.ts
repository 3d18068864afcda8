import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { AwsStores } from '../../../shared/adapters/aws/store.ts';
import { account } from '../../contract/samples.ts';
import { type FailureOutcome, type FaultProxy, startFaultProxy } from './faults.ts';
import { type Bench, hastyClock, makeBench, type SimulatedAws, startSimulatedAws } from './stores.ts';

export let aws: SimulatedAws;
export let bench: Bench;
export let proxy: FaultProxy;
export let stores: AwsStores;
export let clock: ReturnType<typeof hastyClock>;
export const A = account(1);

export async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(...page);
  return found;
}

/** The first `times` calls of an operation meet `fate`. */
export function spoil(operation: string, times: number, fate: FailureOutcome): void {
  let left = times;
  proxy.decide = (call) => {
    if (call.operation !== operation || left === 0) return undefined;
    left -= 1;
    return fate;
  };
}

/** Registers the set-up and the clean-up of every test of the file that calls this. */
export function useFaultyDynamodb(): void {
  beforeAll(async () => {
    aws = await startSimulatedAws();
  });
  afterAll(() => aws.close());
  beforeEach(async () => {
    bench = await makeBench(aws);
    proxy = await startFaultProxy(aws.dynamodb.endpoint);
    clock = hastyClock();
    const dynamodb = { ...aws.dynamodb, endpoint: proxy.endpoint };
    stores = await bench.open({ clock, random: () => 0.5, dynamodb, check: false });
  });
  afterEach(async () => {
    await bench.dispose();
    await proxy.close();
  });
}
