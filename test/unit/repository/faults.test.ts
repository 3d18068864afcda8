import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAULTS } from '../../simulation/faults.ts';

const root = resolve(import.meta.dirname, '../../..');

// Whether the simulation notices each fault takes minutes: `npm run simulate -- --faults`.
describe('the source text that a deliberate fault replaces exists', () => {
  it.each(FAULTS)('$name', ({ edits }) => {
    for (const { file, find } of edits) expect(readFileSync(resolve(root, file), 'utf8'), file).toContain(find);
  });
});
