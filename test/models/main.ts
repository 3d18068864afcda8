/**
 * `npm run models -- [--botocore FILE.whl] [--installed] [--json] [--accept] [--known FILE]`: compares what Rollcall uses of AWS's services with what AWS publishes
 * today. See docs/how-to/follow-aws-changes.md.
 * Exit codes: 0 no difference, 1 a difference, 2 no difference found but something could not be compared.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { acceptOperations, checkService, exitCode } from './check.ts';
import { botocoreWheel, installedClients, npmClients } from './published.ts';
import { reportText } from './report.ts';
import { usedServices } from './used.ts';

const KNOWN = join(import.meta.dirname, 'known-operations.json');
const knownSchema = z.record(z.string(), z.array(z.string()));

const OPTIONS = {
  /** A wheel of botocore: `pip download --no-deps botocore`. */
  botocore: { type: 'string' },
  /** Reads the installed clients instead of the newest ones on npm. */
  installed: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  /** Records the operations found, so that they are no longer reported as added. */
  accept: { type: 'boolean', default: false },
  /** The operations that are no longer reported. */
  known: { type: 'string', default: KNOWN },
} as const;

const directory = mkdtempSync(join(tmpdir(), 'rollcall-models-'));
try {
  const { values } = parseArgs({ options: OPTIONS });
  const known = knownSchema.parse(JSON.parse(readFileSync(values.known, 'utf8')));
  const clients = values.installed ? installedClients : npmClients(directory);
  const models = values.botocore === undefined ? clients : botocoreWheel(values.botocore, clients);
  const publishers = { sandbox: models, client: clients };
  const results = await Promise.all(usedServices().map((service) => checkService(service, publishers, known)));
  if (values.accept) writeFileSync(values.known, `${JSON.stringify(acceptOperations(known, results), null, 2)}\n`);
  const shown = results.map(({ operations: _, ...result }) => result);
  process.stdout.write(values.json ? `${JSON.stringify({ services: shown }, null, 2)}\n` : reportText(results));
  process.exitCode = exitCode(results);
} catch (error) {
  process.stderr.write(`Could not compare: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
