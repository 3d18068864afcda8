import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The model of Compute Optimizer Automation before and after 2026-11-20, when AWS added organization enrollment configurations: in Smithy's form and
 * as botocore 1.43.11 and 1.44.8 publish it, without documentation and without the shapes of operations that Rollcall does not use.
 */
export function automationModel(form: 'smithy' | 'botocore', time: 'before' | 'after'): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, `data/${form}-${time}.json`), 'utf8'));
}
