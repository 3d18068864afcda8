import * as z from 'zod';
import type { ProxiedCall } from '../adapters/aws/faults.ts';
import { resourceOf, type Statement, statementsOf } from './template.ts';

/*
 * Evaluates IAM for a request to DynamoDB: whether a function's role in infra/roles.yml allows the operation on these partition keys.
 */

const item = z.looseObject({ pk: z.object({ S: z.string() }) });
const shapes = {
  item: z.looseObject({ Item: item }),
  key: z.looseObject({ Key: item }),
  batch: z.looseObject({
    RequestItems: z.record(
      z.string(),
      z.array(
        z.object({
          PutRequest: z.object({ Item: item }).optional(),
          DeleteRequest: z.object({ Key: item }).optional(),
        }),
      ),
    ),
  }),
};

/** The partition keys that a request writes to; empty for a read. */
export function writtenKeys({ operation, body }: ProxiedCall): readonly string[] {
  if (operation === 'PutItem') return [shapes.item.parse(body).Item.pk.S];
  if (operation === 'UpdateItem' || operation === 'DeleteItem') return [shapes.key.parse(body).Key.pk.S];
  if (operation !== 'BatchWriteItem') return [];
  return Object.values(shapes.batch.parse(body).RequestItems)
    .flat()
    .flatMap(({ PutRequest, DeleteRequest }) => [PutRequest?.Item, DeleteRequest?.Key])
    .flatMap((found) => found?.pk.S ?? []);
}

const patterns = z.union([z.string(), z.array(z.string())]).transform((found) => [found].flat());
const leadingKeysCondition = z.strictObject({
  'ForAllValues:StringLike': z.strictObject({ 'dynamodb:LeadingKeys': patterns }),
  Null: z.strictObject({ 'dynamodb:LeadingKeys': z.literal('false') }),
});

/**
 * The only condition that statements about the table may have; `null`: no condition. `ForAllValues` alone is also true for a request without keys, so
 * `Null` requires that there are some.
 */
function leadingKeys({ Condition }: Statement): readonly string[] | null {
  if (Condition === undefined) return null;
  const { 'ForAllValues:StringLike': keys } = leadingKeysCondition.parse(Condition);
  return keys['dynamodb:LeadingKeys'];
}

/** A trailing `*` matches any text, as in IAM. The roles use no other wildcard. */
function fits(pattern: string, key: string): boolean {
  const start = pattern.endsWith('*') ? pattern.slice(0, -1) : null;
  if (/[*?]/.test(start ?? pattern)) throw new Error(`a pattern that is not known here: ${pattern}`);
  return start === null ? key === pattern : key.startsWith(start);
}

export const roleStatements = (name: string): readonly Statement[] =>
  statementsOf(resourceOf('infra/roles.yml', `${name[0]?.toUpperCase()}${name.slice(1)}Role`));

/** @returns whether one statement of the function's role allows the operation on all keys */
export function allows(name: string, operation: string, keys: readonly string[]): boolean {
  return roleStatements(name).some((statement) => {
    if (statement.Effect !== 'Allow' || !statement.Action.includes(`dynamodb:${operation}`)) return false;
    const wanted = leadingKeys(statement);
    return wanted === null || keys.every((key) => wanted.some((pattern) => fits(pattern, key)));
  });
}
