import * as z from 'zod';
import { VERDICTS } from '../../../shared/domain/enrollment/verdict.ts';

import { accountId, enrollment, hash, id, time } from './shape-parts.ts';

export const entryShape = z.looseObject({
  id,
  chain: z.string(),
  seq: z.int().min(1),
  at: time,
  type: z.string(),
  accountId: accountId.nullable(),
  enrollment: enrollment.nullable(),
  runId: id.nullable(),
  actor: z.string(),
  before: z.looseObject({ verdict: z.enum(VERDICTS) }).nullable(),
  after: z.looseObject({ verdict: z.enum(VERDICTS) }).nullable(),
  reason: z.string().nullable(),
  rule: z.string().nullable(),
  policyHash: hash.nullable(),
  api: z
    .strictObject({ operation: z.string(), requestId: z.string().nullable(), clientToken: z.string().nullable() })
    .nullable(),
  prevHash: hash,
  hash,
});

export const auditShape = z.strictObject({ entries: z.array(entryShape), next: z.string().nullable() });

const faultShape = z.strictObject({
  kind: z.enum(['gap', 'fork', 'edit', 'truncation']),
  seq: z.int(),
  message: z.string(),
  chain: z.string(),
});

export const verifyShape = z.strictObject({
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
});

const neighbour = z.strictObject({ id, seq: z.int(), type: z.string(), at: time }).nullable();

export const showShape = z.strictObject({
  entry: entryShape,
  verification: z.strictObject({
    ok: z.boolean(),
    previous: neighbour,
    next: neighbour,
    faults: z.array(z.strictObject({ kind: z.string(), seq: z.int(), message: z.string() })),
  }),
});
