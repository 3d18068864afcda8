import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Measured } from './measured.ts';
import { measureCalls } from './measured-calls.ts';

/*
 * `node test/infra/measure-calls.ts` measures the calls of the functions and writes `infra/measured-calls.json`, from which infra/costs.ts
 * computes the tables of docs/how-to/deploy-aws.md. A test measures a smaller organization and compares.
 */
const measured: Measured = await measureCalls({ small: 100, large: 300, changed: 40 });
const file = join(import.meta.dirname, '../../infra/measured-calls.json');
writeFileSync(file, `${JSON.stringify(measured, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(measured)}\n`);
