import { ChangeRefused, type Check } from './check.ts';

/** A run that a guardrail has stopped makes no further call, in any process. */
export function runStopped(): Check {
  return {
    async ask({ run: { stopped } }) {
      if (stopped !== null) throw new ChangeRefused('guardrail', `the run was stopped: ${stopped.message}`);
    },
  };
}
