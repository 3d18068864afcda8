import type { Outcome, TestResult } from '../../../shared/domain/policy/expectations/expect.ts';
import { oneLine } from '../../../shared/domain/text.ts';
import type { CliContext } from '../context.ts';
import { PolicyError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { loadPolicy } from '../session.ts';
import type { Style } from '../ui/output.ts';
import { count } from '../ui/words.ts';

export interface TestFlags {
  readonly policy?: string;
  readonly expectations?: string;
}

export async function runTest(
  context: CliContext,
  file: string | undefined,
  named: string | undefined,
): Promise<number> {
  const { output, clock } = context;
  const loaded = await loadPolicy(context, file);
  const path = named ?? beside(loaded.file);
  const [{ readExpectationsFile }, { tryExpectations }] = await Promise.all([
    import('../../../shared/config/expectations-file.ts'),
    import('../../../shared/domain/policy/expectations/expect.ts'),
  ]);
  const read = readExpectationsFile(path, loaded.policy.policy);
  if (!read.ok) throw new PolicyError(path, read.findings);
  const tried = tryExpectations(loaded.policy, read.expectations, clock.now());
  const failed = tried.results.filter(({ passed }) => !passed).length;
  const counts = { passed: tried.results.length - failed, failed };
  const { hash: policyHash } = loaded.policy;
  const document = {
    ok: failed === 0,
    policy: loaded.file,
    expectations: path,
    policyHash,
    passed: counts.passed,
    failed,
    results: tried.results,
    untestedRules: tried.untestedRules,
  };
  output.result(document, () => testText(path, tried, counts, output.style));
  return failed === 0 ? EXIT.ok : EXIT.error;
}

/** The default file of tests, beside the policy: `rollcall.test.yaml` for `rollcall.yaml`. */
function beside(policy: string): string {
  return policy.replace(/(\.ya?ml)?$/i, (ending) => `.test${ending === '' ? '.yaml' : ending}`);
}

function testText(
  path: string,
  { results, untestedRules }: TestResult,
  { passed, failed }: { readonly passed: number; readonly failed: number },
  style: Style,
): string[] {
  const lines = results.flatMap((outcome) => outcomeText(path, outcome, style));
  const untested = untestedRules.length === 0 ? [] : [`Rules that decide no expectation: ${untestedRules.join(', ')}.`];
  const sum = `${count(passed, 'expectation')} met, ${failed} not met.`;
  return [...lines, ...untested, style(failed > 0 ? 'red' : 'green', sum)];
}

function outcomeText(path: string, { name, passed, line, column, mismatches }: Outcome, style: Style): string[] {
  const title = oneLine(name);
  if (passed) return [`${style('green', '✓')} ${title}`];
  return [
    `${style('red', '✗')} ${title} (${path}:${line}:${column})`,
    ...mismatches.map(
      (each) => `    ${each.field}: expected ${each.expected}, found ${each.found} (line ${each.line})`,
    ),
  ];
}
