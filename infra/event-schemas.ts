import * as z from 'zod';
import { ENROLLMENT_IDS } from '../shared/domain/enrollment/kinds/index.ts';
import { EVENT_SOURCE, wordsOf } from '../shared/domain/ledger/bus-event.ts';
import { ENTRY_TYPES, type EntryType } from '../shared/domain/ledger/entry-types.ts';

/*
 * The contract with subscribers of the event bus: one JSON Schema per entry type. The schemas differ only in `detail-type` and `type`. New versions may
 * add fields, so subscribers should ignore unknown ones.
 */

const time = z.iso.datetime().describe('ISO 8601, UTC');
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const accountId = z.string().regex(/^\d{12}$/);
const enrollment = z.enum(ENROLLMENT_IDS);
const status = z.enum(['Active', 'Inactive', 'Pending', 'Failed']);
const target = z.enum(['Active', 'Inactive']);
const ruleMode = z.enum(['AnyAllowed', 'NoneAllowed']);

const facet = z
  .looseObject({
    verdict: z.string(),
    reason: z.string().nullable(),
    status: status.nullable(),
    ruleMode: ruleMode.nullable(),
    ruleModeSource: z
      .looseObject({ type: z.string(), targetId: z.string().nullable() })
      .optional()
      .describe('The organization enrollment configuration that determines the rule mode, if one does'),
    lastUpdated: z.string().nullable(),
    desired: target.nullable(),
    desiredRuleMode: ruleMode.nullable(),
    notBefore: z.string().nullable(),
    deadline: z.string().nullable(),
    attempts: z.int().nonnegative(),
  })
  .describe('The state before or after, as far as the entry knows it');

const common = {
  id: z.string().min(1).describe('Unique: identifies an event that is delivered twice'),
  chain: z.string().min(1).describe('The account id, or "organization"'),
  seq: z.int().positive().describe('1, 2, 3, … within the chain, without a gap'),
  at: time,
  accountId: accountId.nullable(),
  enrollment: enrollment.nullable(),
  runId: z.string().nullable(),
  actor: z.string().describe('ARN of the actor, if known'),
  hash: hash.describe('SHA-256 over every other field'),
};

const changedBy = z
  .looseObject({ actor: z.string(), operation: z.string(), requestId: z.string().nullable(), at: time })
  .describe('The call that caused the change, if CloudTrail reported it');

const entryOf = (type: EntryType) =>
  z
    .looseObject({
      ...common,
      type: z.literal(type),
      before: facet.nullable(),
      after: facet.nullable(),
      reason: z.string().nullable(),
      rule: z.string().nullable(),
      policyHash: z.string().nullable(),
      api: z
        .looseObject({ operation: z.string(), requestId: z.string().nullable(), clientToken: z.string().nullable() })
        .nullable(),
      detail: z.looseObject({ message: z.string().optional(), changedBy: changedBy.optional() }).nullable(),
      prevHash: hash,
    })
    .describe('The ledger entry');

const referenceOf = (type: EntryType) =>
  z
    .looseObject({ ...common, type: z.literal(type), truncated: z.literal(true) })
    .describe('Replaces an entry that is too large for an event; the ledger contains the whole entry');

/** The whole event as EventBridge delivers it. */
export function eventSchema(type: EntryType) {
  return z
    .looseObject({
      source: z.literal(EVENT_SOURCE),
      'detail-type': z.literal(wordsOf(type)),
      detail: z.union([entryOf(type), referenceOf(type)]),
    })
    .meta({ title: `${wordsOf(type)} (rollcall)` });
}

/** File name and content of every schema. */
export function eventSchemaFiles(): ReadonlyMap<string, string> {
  return new Map(
    ENTRY_TYPES.map((type) => {
      const schema = z.toJSONSchema(eventSchema(type), { target: 'draft-2020-12', reused: 'inline' });
      return [`${type}.json`, `${JSON.stringify(schema, null, 2)}\n`];
    }),
  );
}
