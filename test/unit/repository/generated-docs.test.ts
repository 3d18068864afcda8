import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXPLAINED_ERRORS } from '../../../docs/generate/errors.ts';
import { GENERATED, renewed } from '../../../docs/generate/pages.ts';
import { policyFields } from '../../../docs/generate/policy-fields.ts';

const docs = resolve(import.meta.dirname, '../../../docs');

describe('the generated reference (`npm run docs` renews it)', () => {
  it.each(GENERATED)('docs/%s is up to date', (path) => {
    const present = readFileSync(join(docs, path), 'utf8');
    expect(present).toBe(renewed(path, present));
  });

  it('explains every field of the policy', () => {
    const fields = policyFields();
    expect(fields.length).toBeGreaterThan(60);
    expect(fields.filter(({ field }) => field.description === undefined).map(({ path }) => path)).toEqual([]);
  });

  it('explains every error code that the command line gives', () => {
    const root = join(docs, '..');
    const sources = globSync('{services/cli,services/api,shared}/**/*.ts', { cwd: root });
    const thrown = /new (?:Command|Config|Approval|Controls)Error\(\s*'([A-Z]\w+)'|report\('([A-Z]\w+)'/g;
    const codes = sources
      .flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(thrown)])
      .map(([, first, second]) => first ?? second ?? '');
    expect(codes.length).toBeGreaterThan(50);
    const missing = codes.filter((code) => !EXPLAINED_ERRORS.has(code));
    expect([...new Set(missing)]).toEqual([]);
  });
});
