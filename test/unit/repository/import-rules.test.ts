import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');

const IMPORTS = 'lint/style/noRestrictedImports';
const GLOBALS = 'lint/style/noRestrictedGlobals';
const ENVIRONMENT = 'lint/style/noProcessEnv';
const PLUGIN = 'plugin';

const importing = (specifier: string): string => `import { x } from '${specifier}';\nexport const y = x;\n`;

/** Deliberately wrong: where it would stand, what it says, and the rule that must refuse it. */
const WRONG: readonly (readonly [file: string, source: string, rule: string])[] = [
  ['shared/domain/a.ts', importing('../ports/cloud.ts'), IMPORTS],
  ['shared/domain/b.ts', importing('../app/scan.ts'), IMPORTS],
  ['shared/domain/c.ts', importing('../adapters/embedded/sql.ts'), IMPORTS],
  ['shared/domain/d.ts', importing('../compose/app.ts'), IMPORTS],
  ['shared/domain/e.ts', importing('../config/policy-file.ts'), IMPORTS],
  ['shared/domain/f.ts', importing('../../services/cli/cli.ts'), IMPORTS],
  ['shared/domain/g.ts', importing('node:fs'), IMPORTS],
  ['shared/domain/h.ts', importing('node:fs/promises'), IMPORTS],
  ['shared/domain/i.ts', importing('@aws-sdk/client-sts'), IMPORTS],
  ['shared/domain/j.ts', importing('@smithy/core/schema'), IMPORTS],
  ['shared/domain/traces.ts', importing('@opentelemetry/api'), IMPORTS],
  ['shared/domain/policy/k.ts', importing('../../ports/cloud.ts'), IMPORTS],
  ['shared/domain/l.ts', `export * from '../ports/cloud.ts';\n`, IMPORTS],
  ['shared/domain/m.ts', `export const y = import('../ports/cloud.ts');\n`, IMPORTS],
  ['shared/domain/n.ts', `import type { X } from '../ports/cloud.ts';\nexport type Y = X;\n`, IMPORTS],
  ['shared/ports/a.ts', importing('../adapters/aws/cloud.ts'), IMPORTS],
  ['shared/ports/b.ts', importing('../app/deps.ts'), IMPORTS],
  ['shared/ports/c.ts', importing('node:http'), IMPORTS],
  ['shared/ports/d.ts', importing('@aws-sdk/client-organizations'), IMPORTS],
  ['shared/ports/traces.ts', importing('@opentelemetry/api'), IMPORTS],
  ['shared/app/a.ts', importing('../adapters/aws/cloud.ts'), IMPORTS],
  ['shared/app/worker/b.ts', importing('../../adapters/aws/cloud.ts'), IMPORTS],
  ['shared/app/c.ts', importing('../compose/app.ts'), IMPORTS],
  ['shared/app/d.ts', importing('../config/policy-file.ts'), IMPORTS],
  ['shared/app/e.ts', importing('node:fs'), IMPORTS],
  ['shared/app/f.ts', importing('node:net'), IMPORTS],
  ['shared/app/g.ts', importing('node:http'), IMPORTS],
  ['shared/app/h.ts', importing('node:sqlite'), IMPORTS],
  ['shared/app/i.ts', importing('@aws-sdk/client-compute-optimizer'), IMPORTS],
  ['shared/app/traces.ts', importing('@opentelemetry/sdk-trace'), IMPORTS],
  ['shared/adapters/aws/a.ts', importing('../../app/deps.ts'), IMPORTS],
  ['shared/adapters/aws/b.ts', importing('../../compose/app.ts'), IMPORTS],
  ['shared/adapters/embedded/c.ts', importing('../../config/policy-file.ts'), IMPORTS],
  ['shared/config/a.ts', importing('../adapters/aws/cloud.ts'), IMPORTS],
  ['shared/compose/a.ts', importing('../../services/worker/handler.ts'), IMPORTS],
  ['shared/compose/b.ts', importing('../../services/sandbox/start.ts'), IMPORTS],
  ['services/worker/a.ts', importing('../../shared/adapters/aws/cloud/cloud.ts'), IMPORTS],
  ['services/api/b.ts', importing('../sandbox/start.ts'), IMPORTS],
  ['services/cli/commands/apply.ts', importing('../../sandbox/start.ts'), IMPORTS],
  ['services/sandbox/a.ts', importing('../../shared/domain/enrollment/model.ts'), IMPORTS],
  ['services/sandbox/engine/b.ts', importing('../../../shared/ports/system.ts'), IMPORTS],
  ['shared/domain/zod.ts', `import { z } from 'zod';\nexport const y = z;\n`, PLUGIN],
  ['shared/domain/zod-names.ts', `import { ZodError, z } from 'zod';\nexport const y = [z, ZodError];\n`, PLUGIN],
  ['shared/domain/zod-default.ts', `import z from 'zod';\nexport const y = z;\n`, PLUGIN],
  ['shared/domain/zod-passed-on.ts', `export { z } from 'zod';\n`, PLUGIN],
  ['services/cli/zod.ts', `export const y = import('zod');\n`, PLUGIN],
  ['shared/domain/clock.ts', 'export const y = Date.now();\n', PLUGIN],
  ['shared/domain/date.ts', 'export const y = new Date();\n', PLUGIN],
  ['shared/domain/passed.ts', 'export const y = [1].map(Date.now);\n', PLUGIN],
  ['shared/domain/chance.ts', 'export const y = Math.random();\n', PLUGIN],
  ['shared/app/clock.ts', 'export const y = Date.now();\n', PLUGIN],
  ['shared/app/worker/date.ts', 'export const y = new Date();\n', PLUGIN],
  ['shared/app/chance.ts', 'export const y = Math.random();\n', PLUGIN],
  ['shared/ports/clock.ts', 'export const y = Date.now();\n', PLUGIN],
  ['shared/ports/date.ts', 'export const y = new Date();\n', PLUGIN],
  ['shared/ports/chance.ts', 'export const y = Math.random();\n', PLUGIN],
  ['shared/domain/kind-literal.ts', `export const y = 'computeOptimizer';\n`, PLUGIN],
  ['shared/app/queries/kind-literal.ts', `export const y = ['automation'];\n`, PLUGIN],
  ['shared/app/kind-property.ts', 'export const y = (x: { automation: number }) => x.automation;\n', PLUGIN],
  ['shared/adapters/embedded/kind-literal.ts', `export const y = { kind: 'automation' };\n`, PLUGIN],
  ['shared/domain/check-result.ts', `export const y = 'computeOptimizer';\n`, PLUGIN],
  ['services/cli/ui/kind-property.ts', 'export const y = (x: { automation: number }) => x.automation;\n', PLUGIN],
  ['services/dashboard/browser/kind-literal.tsx', `export const y = ['automation'];\n`, PLUGIN],
  ['shared/domain/timer.ts', 'export const y = setTimeout(() => 1, 2);\n', GLOBALS],
  ['shared/app/timer.ts', 'export const y = setTimeout(() => 1, 2);\n', GLOBALS],
  ['shared/app/global.ts', 'export const y = globalThis.Date.now();\n', GLOBALS],
  ['shared/app/network.ts', `export const y = fetch('http://localhost');\n`, GLOBALS],
  ['shared/app/environment.ts', `export const y = process.env['HOME'];\n`, ENVIRONMENT],
  ['shared/adapters/environment.ts', `export const y = process.env['HOME'];\n`, ENVIRONMENT],
  ['shared/compose/environment.ts', `export const y = process.env['HOME'];\n`, ENVIRONMENT],
  ['services/cli/environment.ts', `export const y = process.env['HOME'];\n`, ENVIRONMENT],
];

/** What the rules must leave alone: a rule that refuses everything would pass the other half of this test. */
const RIGHT: readonly (readonly [file: string, source: string])[] = [
  ['shared/domain/right-a.ts', importing('node:crypto')],
  ['shared/domain/right-b.ts', importing('./policy/index.ts')],
  ['shared/domain/right-c.ts', 'export const y = new Date(5).getTime() + Date.parse("2026-01-01");\n'],
  ['shared/ports/right-a.ts', importing('../domain/types.ts')],
  ['shared/app/right-a.ts', importing('../ports/cloud.ts')],
  ['shared/domain/right-zod.ts', `import * as z from 'zod';\nexport const y = z.string();\n`],
  ['shared/domain/right-zod-type.ts', `import type * as z from 'zod';\nexport type Y = z.ZodError;\n`],
  ['shared/app/worker/right-b.ts', importing('../../domain/assess.ts')],
  ['shared/app/right-c.ts', importing('p-retry')],
  ['shared/domain/enrollment/kinds/right-a.ts', `export const y = 'automation';\n`],
  ['services/cli/commands/demo-right-kind.ts', `export const y = 'automation';\n`],
  ['test/unit/right-kind.ts', `export const y = 'automation';\n`],
  ['shared/adapters/aws/right-a.ts', importing('@aws-sdk/client-sts')],
  ['shared/adapters/aws/right-b.ts', importing('../../ports/cloud.ts')],
  ['shared/adapters/system/right-c.ts', 'export const y = Date.now() + Math.random();\n'],
  ['shared/config/right-a.ts', `export const y = process.env['HOME'];\n`],
  ['shared/compose/right-a.ts', importing('../adapters/aws/cloud.ts')],
  ['services/worker/right-a.ts', importing('../../shared/compose/runtime.ts')],
  ['services/cli/demo.ts', importing('../sandbox/start.ts')],
  ['services/cli/commands/demo.ts', importing('../../sandbox/start.ts')],
  ['services/cli/sandbox.ts', importing('../sandbox/start.ts')],
  ['services/sandbox/right-a.ts', importing('./engine/sandbox.ts')],
  ['test/sandbox/right-a.ts', importing('../../services/sandbox/start.ts')],
  ['test/cloud/right-a.ts', importing('../../shared/adapters/aws/cloud/cloud.ts')],
];

/** Lints a tree with the project's own configuration. Answers the rules that fired, by file. */
async function lint(directory: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const biome = join(root, 'node_modules/.bin/biome');
  const options = ['lint', '--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none', '.'];
  const output = await new Promise<string>((done) => {
    execFile(biome, options, { cwd: directory }, (_error, stdout, stderr) => done(stdout + stderr));
  });
  const fired = new Map<string, string[]>();
  for (const [, rule = '', path = ''] of output.matchAll(/^::error title=([^,]+),file=([^,]+),/gm)) {
    const file = relative(directory, path);
    const rules = fired.get(file);
    if (rules === undefined) fired.set(file, [rule]);
    else rules.push(rule);
  }
  return fired;
}

describe('import rules break the build', () => {
  let directory: string;
  let fired: ReadonlyMap<string, readonly string[]>;

  beforeAll(async () => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'rollcall-lint-')));
    for (const part of ['biome.json', 'lint']) cpSync(join(root, part), join(directory, part), { recursive: true });
    for (const [file, source] of [...WRONG, ...RIGHT]) {
      mkdirSync(dirname(join(directory, file)), { recursive: true });
      writeFileSync(join(directory, file), source);
    }
    fired = await lint(directory);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  for (const [file, source, rule] of WRONG) {
    it(`${file}: ${source.split('\n')[0]}`, () => {
      expect(fired.get(file) ?? []).toContain(rule);
    });
  }

  for (const [file, source] of RIGHT) {
    it(`allowed: ${file}: ${source.split('\n')[0]}`, () => {
      expect(fired.get(file) ?? []).toEqual([]);
    });
  }
});
