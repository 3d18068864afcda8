import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { assembleOrganization } from './assemble.ts';
import { terraformFiles } from './terraform.ts';

/* `npm run organization` writes the template and the generated files of the Terraform module; tests compare them with their sources. */
const infra = resolve(import.meta.dirname, '..');
const organization = assembleOrganization();
const files = Object.entries(terraformFiles(organization)).map(
  ([name, content]) => [`terraform/${name}`, content] as const,
);
for (const [path, content] of [['organization.template.json', organization] as const, ...files]) {
  writeFileSync(resolve(infra, path), `${JSON.stringify(content, null, 2)}\n`);
}
