import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GENERATED, renewed } from '../../../docs/generate/pages.ts';

const docs = resolve(import.meta.dirname, '../../../docs');

describe('the generated reference (`npm run docs` renews it)', () => {
  it.each(GENERATED)('docs/%s is up to date', (path) => {
    const present = readFileSync(join(docs, path), 'utf8');
    expect(present).toBe(renewed(path, present));
  });
});
