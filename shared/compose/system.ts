/** Services may not import adapters, so they import clock, ids, logs, caches and turns from here. */
export { systemClock } from '../adapters/system/clock.ts';
export { makeNewId } from '../adapters/system/ids.ts';
export { jsonLogger } from '../adapters/system/logger.ts';
export { cachedRecords } from '../adapters/system/record-cache.ts';
export { cachedSnapshots } from '../adapters/system/snapshot-cache.ts';
export { inTurns, ShortRequests, Turns } from '../adapters/system/turns.ts';
export { makeRedact } from '../domain/redact.ts';
