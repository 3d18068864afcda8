import { expect } from 'vitest';
import type { World } from './world.ts';

let requests = 0;

/** Somebody else in the management account calls Automation. The call bypasses the wire log, which records the calls of Rollcall. */
export function callBySomebodyElse(world: World, operation: string, input: Readonly<Record<string, unknown>>): void {
  requests += 1;
  const answer = Object.getPrototypeOf(world.sandbox).handle.call(world.sandbox, {
    ...{ service: 'aco-automation', operation, input },
    ...{ callerAccountId: world.managementId, requestId: `by-somebody-else-${requests}` },
  });
  expect(answer).toMatchObject({ kind: 'ok' });
}
