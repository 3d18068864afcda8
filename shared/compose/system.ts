/** The machine's own parts, for those who start things: clock, ids, logs, and the store's maintenance. */
export { AwsStoreError } from '../adapters/aws/store-errors.ts';
export { StoreError } from '../adapters/embedded/errors.ts';
export { systemClock } from '../adapters/system/clock.ts';
export { makeNewId } from '../adapters/system/ids.ts';
export { jsonLogger } from '../adapters/system/logger.ts';
export { makeRedact } from '../adapters/system/redact.ts';
export { inTurns, Turns } from '../adapters/system/turns.ts';
