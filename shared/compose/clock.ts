/** Services may not import adapters. The command line needs the clock before it knows whether it needs anything else of `system.ts`. */
export { systemClock } from '../adapters/system/clock.ts';
