import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GENERATED, renewed } from './pages.ts';

/** `npm run docs`: writes the generated pages, and the generated parts of other pages. */
for (const path of GENERATED) {
  const file = join(import.meta.dirname, '..', path);
  writeFileSync(file, renewed(path, existsSync(file) ? readFileSync(file, 'utf8') : ''));
}
