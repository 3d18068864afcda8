import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { parse } from 'yaml';
import * as z from 'zod';

const root = resolve(import.meta.dirname, '../..');

const settings = z.object({
  bundle: z.boolean(),
  minify: z.boolean(),
  keepNames: z.boolean(),
  platform: z.literal('node'),
  target: z.string(),
  format: z.literal('esm'),
  banner: z.object({ js: z.string() }),
  mainFields: z.array(z.string()),
});

/** The bundle settings of the deployed functions. */
export function lambdaBundle(): BuildOptions {
  return settings.parse(parse(readFileSync(join(root, 'infra/esbuild.yml'), 'utf8')));
}
