import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const TESTS = resolve(import.meta.dirname, '..');

/** The files that take the longest, longest first. A long file that starts last keeps one core busy while the others have nothing left to do. */
const LONGEST = [
  'scenario/aws-serve.test.ts',
  'e2e/three-kinds.test.ts',
  'e2e/dashboard.test.ts',
  'services/cli/broken-answers.test.ts',
  'e2e/agreement.test.ts',
  'services/cli/aws.test.ts',
  'crash/crash.test.ts',
  'services/cli/long-running.test.ts',
  'simulation/simulation.test.ts',
  'services/cli/checkpoints.test.ts',
  'e2e/verifier.test.ts',
  'e2e/demo-day.test.ts',
  'adapters/aws/contract.test.ts',
  'scenario/crash.test.ts',
  'scenario/configurations-limits.test.ts',
  'services/cli/notify.test.ts',
  'services/cli/run.test.ts',
  'scenario/aws-many.test.ts',
  'services/cli/sinks.test.ts',
  'e2e/evidence.test.ts',
  'scenario/incomplete-answers.test.ts',
  'services/cli/package.test.ts',
  'e2e/operate.test.ts',
  'services/cli/store.test.ts',
  'services/handlers/configurations.test.ts',
  'services/cli/inputs.test.ts',
  'scenario/configurations.test.ts',
  'infra/costs.test.ts',
  'transcripts/day-c.test.ts',
  'services/handlers/controls.test.ts',
  'services/handlers/scanner.test.ts',
  'services/cli/errors.test.ts',
] as const;

/** Vitest knows how long files take only after a first run. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = LONGEST.find((path) => !existsSync(resolve(TESTS, path)));
    if (gone !== undefined)
      throw new Error(`test/support/longest-first.ts names test/${gone}, which does not exist: correct the list`);
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.findIndex((path) => moduleId === resolve(TESTS, path));
      return index < 0 ? LONGEST.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
