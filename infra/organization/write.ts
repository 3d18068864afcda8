import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { assembleOrganization } from './assemble.ts';

/* `npm run organization` writes the template; a test compares it with its sources. */
const path = resolve(import.meta.dirname, '../organization.template.json');
writeFileSync(path, `${JSON.stringify(assembleOrganization(), null, 2)}\n`);
