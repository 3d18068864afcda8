import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { zipEntries } from '../support/zip.ts';

/** `node unzip.ts ZIP DIRECTORY`: unpacks a zip file, so that checking a package does not depend on an installed program. */
const [zip, directory] = process.argv.slice(2);
if (zip === undefined || directory === undefined) throw new Error('usage: unzip.ts ZIP DIRECTORY');
for (const [name, content] of zipEntries(readFileSync(zip))) {
  const path = join(directory, normalize(name));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content());
}
