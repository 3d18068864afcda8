/** The parts of the machine that services use: clock, ids, logs, turns. */
export { systemClock } from '../adapters/system/clock.ts';
export { makeNewId } from '../adapters/system/ids.ts';
export { jsonLogger } from '../adapters/system/logger.ts';
export { inTurns, Turns } from '../adapters/system/turns.ts';
export { makeRedact } from '../domain/redact.ts';
