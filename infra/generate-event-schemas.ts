import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventSchemaFiles } from './event-schemas.ts';

/** Writes `infra/events/*.json`. Run it after a change of `event-schemas.ts`; a test fails while it has not been. */
const directory = join(import.meta.dirname, 'events');
mkdirSync(directory, { recursive: true });
for (const [name, content] of eventSchemaFiles()) writeFileSync(join(directory, name), content);
// As the linter wants every file.
execFileSync(join(import.meta.dirname, '../node_modules/.bin/biome'), ['format', '--write', directory]);
