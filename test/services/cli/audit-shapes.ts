import * as z from 'zod';
import { auditAnswer, shownEntry } from '../../../services/api/schemas/audit.ts';
import { newestCheckpointSchema } from '../../../shared/app/queries/audit/checkpoint.ts';
import { proofSchema } from '../../../shared/app/queries/audit/proof.ts';
import { verifyCheckpointSchema } from '../../../shared/app/queries/audit/verify-checkpoint.ts';
import { exactly } from './shape-parts.ts';

export const auditShape = exactly(auditAnswer);

const faultShape = z.strictObject({
  kind: z.enum(['gap', 'fork', 'edit', 'truncation']),
  seq: z.int(),
  message: z.string(),
  chain: z.string(),
});

const verified = z.strictObject({
  ok: z.boolean(),
  chains: z.int(),
  entries: z.int(),
  fault: faultShape.nullable(),
  faults: z.array(faultShape),
  pruned: z.int(),
  digests: z.array(
    z.strictObject({
      day: z.string(),
      root: z.string(),
      outcome: z.enum(['matches', 'differs', 'pruned', 'unknown']),
      message: z.string().nullable(),
    }),
  ),
  log: z
    .strictObject({
      id: z.string(),
      size: z.int(),
      root: z.string(),
      compared: z.int(),
      waiting: z.int(),
      checkpoints: z.int(),
      newest: z
        .strictObject({ at: z.iso.datetime(), origin: z.string(), size: z.int(), lacks: z.int().nullable() })
        .nullable(),
      problems: z.array(z.string()),
    })
    .nullable(),
});

export const verifyShape = verified.extend({
  newestCheckpoint: z.strictObject({ at: z.string(), origin: z.string(), size: z.int(), keyId: z.string() }).nullable(),
});

export const keptShape = verified.extend({
  checkpoint: z.strictObject(verifyCheckpointSchema.shape.checkpoint.shape),
});

export const showShape = exactly(shownEntry);

const coveringShape = z.strictObject({ file: z.string(), at: z.string(), origin: z.string(), size: z.int() });

export const evidenceShape = z.strictObject({
  file: z.string(),
  since: z.string(),
  until: z.string(),
  entries: z.strictObject({
    period: z.int(),
    around: z.int(),
    notCovered: z.int(),
    notCoveredFrom: z.string().nullable(),
    publications: z.int(),
    pruned: z.int(),
  }),
  checkpoint: coveringShape.nullable(),
  limits: z.array(z.string()),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export const checkpointShape = exactly(newestCheckpointSchema);

const publicKeyShape = { pem: z.string(), verifierKey: z.string().nullable(), origin: z.string().nullable() };

export const keyShape = z.strictObject({
  ...publicKeyShape,
  keyId: z.string().nullable(),
  type: z.enum(['ed25519', 'ecdsa']),
});

export const newKeyShape = z.strictObject({ ...publicKeyShape, file: z.string(), path: z.string() });

export const proofShape = exactly(proofSchema.extend({ entry: shownEntry.shape.entry, file: z.string().nullable() }));

export const provedShape = z.strictObject({
  ...{ ok: z.boolean(), chain: z.string(), seq: z.int(), index: z.int() },
  ...{ origin: z.string(), size: z.int(), message: z.string() },
});
