import * as z from 'zod/mini';
import type { Archive } from './archive.ts';
import { EvidenceError } from './finding.ts';

const count = z.int().check(z.nonnegative());
const checkpoint = z.object({ file: z.string(), at: z.string(), origin: z.string(), size: count });

const schema = z.object({
  format: z.literal('rollcall-evidence/v1'),
  organizationId: z.nullable(z.string()),
  since: z.string(),
  until: z.string(),
  checkpoint: z.nullable(checkpoint),
  checkpoints: z.array(checkpoint),
  complete: z.nullable(z.object({ from: count, to: count })),
});

/** `evidence.json`. Nothing in it is proved; it says where to look. */
export type EvidenceFile = z.infer<typeof schema>;
export type NamedCheckpoint = z.infer<typeof checkpoint>;

/** @throws EvidenceError */
export function readEvidenceFile(archive: Archive): EvidenceFile {
  const read = z.safeParse(schema, archive.json('evidence.json'));
  if (read.success) {
    checkPeriod(read.data);
    return read.data;
  }
  const [issue] = read.error.issues;
  throw new EvidenceError(
    `evidence.json has another form than expected, at ${issue?.path.join('.') || 'its beginning'}.`,
  );
}

/** Times are compared as text, so each must be the text that Rollcall writes. */
function checkPeriod({ since, until }: EvidenceFile): void {
  for (const time of [since, until]) {
    const at = Date.parse(time);
    if (Number.isNaN(at) || new Date(at).toISOString() !== time)
      throw new EvidenceError(
        `evidence.json has a period of another form than expected: ${JSON.stringify(time.slice(0, 60))}.`,
      );
  }
  if (since >= until) throw new EvidenceError('evidence.json has a period that ends before it begins.');
}

const policiesSchema = z.object({
  policies: z.array(z.object({ file: z.nullable(z.string()), entryId: z.string() })),
});

/** The files of the policies by the ids of their entries. @throws EvidenceError */
export function readPolicyIndex(archive: Archive): ReadonlyMap<string, string> {
  const read = z.safeParse(policiesSchema, archive.json('policies/index.json'));
  if (!read.success) throw new EvidenceError('policies/index.json has another form than expected.');
  return new Map(read.data.policies.flatMap(({ file, entryId }) => (file === null ? [] : [[entryId, file] as const])));
}
