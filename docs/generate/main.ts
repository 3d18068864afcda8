import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storedDocumentsPage } from './stored-documents.ts';

/** `npm run docs`: writes the generated pages. */
writeFileSync(join(import.meta.dirname, '../reference/stored-documents.md'), storedDocumentsPage());
