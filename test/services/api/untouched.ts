import { expect } from 'vitest';
import { readControls } from '../../../shared/app/guardrails/controls.ts';
import { NO_CONTROLS } from '../../../shared/domain/decision/operator-controls.ts';
import type { TestApi } from './support.ts';

export const as = (token: string) => ({ authorization: `Bearer ${token}` });
/** No request was admitted: the kill switch and the ledger are unchanged. */
export async function untouched({ system: { stores } }: TestApi): Promise<void> {
  expect(await readControls(stores.registers)).toEqual(NO_CONTROLS);
  expect(await stores.ledger.chains(null, 10)).toEqual([]);
}
