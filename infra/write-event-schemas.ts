import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventSchemaFiles } from './event-schemas.ts';

/** `npm run event-schemas`: writes one JSON Schema per event type into `dist/event-schemas/`. */
const directory = join(import.meta.dirname, '../dist/event-schemas');
mkdirSync(directory, { recursive: true });
for (const [name, content] of eventSchemaFiles()) writeFileSync(join(directory, name), content);
