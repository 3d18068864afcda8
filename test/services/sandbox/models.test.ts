import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { createSandbox } from '../../../services/sandbox/engine/sandbox.ts';
import type { Violation } from '../../../services/sandbox/engine/smithy.ts';
import { SERVICE_NAMES, type ServiceName } from '../../../services/sandbox/engine/types.ts';
import computeOptimizer from '../../../services/sandbox/models/compute-optimizer.json' with { type: 'json' };
import automation from '../../../services/sandbox/models/compute-optimizer-automation.json' with { type: 'json' };
import costOptimizationHub from '../../../services/sandbox/models/cost-optimization-hub.json' with { type: 'json' };
import eventBridge from '../../../services/sandbox/models/eventbridge.json' with { type: 'json' };
import organizations from '../../../services/sandbox/models/organizations.json' with { type: 'json' };
import tagging from '../../../services/sandbox/models/resource-groups-tagging.json' with { type: 'json' };
import sts from '../../../services/sandbox/models/sts.json' with { type: 'json' };
import { START } from './support.ts';

/** Reads the models without the sandbox's own compiler, and derives from each constraint a value that violates it. */

const reference = z.object({ target: z.string(), traits: z.record(z.string(), z.unknown()).optional() });
const modelSchema = z.object({
  shapes: z.record(
    z.string(),
    z.object({
      type: z.string(),
      input: reference.optional(),
      members: z.record(z.string(), reference).optional(),
      member: reference.optional(),
      traits: z.record(z.string(), z.unknown()).nullish(),
    }),
  ),
});
type Model = z.infer<typeof modelSchema>;
const MODELS: Readonly<Record<ServiceName, Model>> = {
  'compute-optimizer': modelSchema.parse(computeOptimizer),
  'aco-automation': modelSchema.parse(automation),
  'cost-optimization-hub': modelSchema.parse(costOptimizationHub),
  organizations: modelSchema.parse(organizations),
  tagging: modelSchema.parse(tagging),
  sts: modelSchema.parse(sts),
  events: modelSchema.parse(eventBridge),
};
const bounds = z.object({ min: z.number().optional(), max: z.number().optional() }).optional();

/** Valid values by shape name, for shapes in which the shortest string is invalid. */
const VALID: Readonly<Record<string, unknown>> = {
  ParentId: 'r-abcd',
  ChildId: '123456789012',
  TaggableResourceId: '123456789012',
  AccountId: '123456789012',
  OrganizationalUnitId: 'ou-abcd-abcdefgh',
  arnType: 'arn:aws:iam::123456789012:role/RollcallMember',
  tokenCodeType: '123456',
  NextToken: 'abcd',
  ClientToken: 'token',
  EndpointId: 'abc.def',
};

type Mutation = { what: string; input: Record<string, unknown> };

function validValue(model: Model, id: string): unknown {
  const name = id.slice(id.indexOf('#') + 1);
  if (name in VALID) return VALID[name];
  const shape = model.shapes[id];
  const type = shape?.type ?? name.toLowerCase();
  if (type === 'structure') return validStructure(model, id);
  if (type === 'union') return firstMember(validStructure(model, id));
  if (type === 'list') return [validValue(model, shape?.member?.target ?? '')];
  if (type === 'enum') return Object.values(shape?.members ?? {})[0]?.traits?.['smithy.api#enumValue'];
  if (type === 'boolean') return false;
  if (type === 'integer') return bounds.parse(shape?.traits?.['smithy.api#range'])?.min ?? 1;
  if (type === 'timestamp') return 0;
  const length = bounds.parse(shape?.traits?.['smithy.api#length']);
  return 'a'.repeat(Math.max(length?.min ?? 1, 1));
}

function validStructure(model: Model, id: string): Record<string, unknown> {
  const members = Object.entries(model.shapes[id]?.members ?? {});
  return Object.fromEntries(members.map(([name, { target }]) => [name, validValue(model, target)]));
}

/** A union has exactly one member. */
function firstMember(all: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(all).slice(0, 1));
}

type Broken = { what: string; value: unknown };

/** A string that matches almost no pattern. */
const ODD = '\u0000 '.repeat(20);

/** All invalid variants of a value: of its type, of each constraint of its shape, and of its members. */
function broken(model: Model, { target, traits = {} }: z.infer<typeof reference>): Broken[] {
  const shape = model.shapes[target];
  const type = shape?.type ?? target.slice(target.indexOf('#') + 1).toLowerCase();
  const all = { ...shape?.traits, ...traits };
  const numeric = type === 'integer' || type === 'timestamp';
  const found: Broken[] = [
    { what: 'a scalar of another type', value: numeric ? 'one' : 1 },
    { what: 'a value of another structure', value: type === 'list' ? 'list' : [1] },
    ...outOfBounds(model, type, all, shape?.member?.target ?? ''),
  ];
  if (type === 'integer') found.push({ what: 'a fraction', value: 1.5 });
  if (type === 'enum') found.push({ what: 'no such enum value', value: 'NoSuchValue' });
  const pattern = all['smithy.api#pattern'];
  if (typeof pattern === 'string' && !new RegExp(pattern, pattern.includes('\\p{') ? 'u' : '').test(ODD))
    found.push({ what: 'a text against the pattern', value: ODD });
  if (type === 'list' && shape?.member !== undefined) {
    found.push({ what: 'a null item', value: [null] });
    for (const { what, value } of broken(model, shape.member))
      found.push({ what: `an item that is ${what}`, value: [value] });
  }
  if (type === 'union') found.push(...brokenUnion(model, target));
  if (type === 'structure') for (const { what, input } of mutations(model, target)) found.push({ what, value: input });
  return found;
}

function brokenUnion(model: Model, unionId: string): Broken[] {
  const all = validStructure(model, unionId);
  const members = Object.entries(model.shapes[unionId]?.members ?? {});
  return [
    { what: 'a union without a member', value: {} },
    { what: 'a union with an unknown member', value: { other: 'a' } },
    { what: 'a union with all members', value: all },
    ...members.flatMap(([name, member]) =>
      broken(model, member).map(({ what, value }) => ({ what: `${name}: ${what}`, value: { [name]: value } })),
    ),
  ];
}

function outOfBounds(model: Model, type: string, traits: Readonly<Record<string, unknown>>, itemId: string): Broken[] {
  const found: Broken[] = [];
  const range = bounds.parse(traits['smithy.api#range']);
  if (range?.min !== undefined) found.push({ what: 'below the range', value: range.min - 1 });
  if (range?.max !== undefined) found.push({ what: 'above the range', value: range.max + 1 });
  const sized = (size: number): unknown =>
    type === 'list' ? Array(size).fill(validValue(model, itemId)) : 'a'.repeat(size);
  const length = bounds.parse(traits['smithy.api#length']);
  if (length?.min !== undefined && length.min > 0) found.push({ what: 'too short', value: sized(length.min - 1) });
  if (length?.max !== undefined) found.push({ what: 'too long', value: sized(length.max + 1) });
  return found;
}

function mutations(model: Model, structureId: string): Mutation[] {
  const valid = validStructure(model, structureId);
  return Object.entries(model.shapes[structureId]?.members ?? {}).flatMap(([name, member]) => {
    const { [name]: _, ...without } = valid;
    const required = member.traits?.['smithy.api#required'] !== undefined;
    const absent = required
      ? [
          { what: `${name} absent`, input: without },
          { what: `${name} null`, input: { ...valid, [name]: null } },
        ]
      : [];
    return [
      ...absent,
      ...broken(model, member).map(({ what, value }) => ({
        what: `${name}: ${what}`,
        input: { ...valid, [name]: value },
      })),
    ];
  });
}

const REFUSALS: Readonly<Record<ServiceName, readonly string[]>> = {
  'compute-optimizer': ['InvalidParameterValueException', 'SerializationException'],
  'aco-automation': ['InvalidParameterValueException', 'SerializationException'],
  'cost-optimization-hub': ['ValidationException', 'SerializationException'],
  organizations: ['InvalidInputException', 'SerializationException'],
  tagging: ['InvalidParameterException', 'SerializationException'],
  sts: ['ValidationError'],
  events: ['ValidationException', 'SerializationException'],
};

const operations = SERVICE_NAMES.flatMap((service) =>
  Object.entries(MODELS[service].shapes)
    .filter(([, shape]) => shape.type === 'operation')
    .map(([id, { input }]) => ({ service, operation: id.slice(id.indexOf('#') + 1), inputId: input?.target ?? '' })),
);

describe.each(operations)('$service $operation', ({ service, operation, inputId }) => {
  const sandbox = createSandbox({ accounts: 25 }, { clock: { now: () => START } });
  const callerAccountId = sandbox.info().managementAccountId;
  const send = (input: unknown) => sandbox.handle({ service, operation, callerAccountId, input, requestId: '-' });
  const model = MODELS[service];

  test('accepts valid input', () => {
    const violations: Violation[] = [];
    const served = sandbox.services.get(service)?.operations.get(operation);
    served?.model.checkInput(validStructure(model, inputId), '', violations);
    expect(served).toBeDefined();
    expect(violations).toEqual([]);
  });

  test('rejects all invalid input, and changes nothing', () => {
    const before = sandbox.accounts();
    const wrong = mutations(model, inputId);
    expect(wrong.length > 0).toBe(Object.keys(validStructure(model, inputId)).length > 0);
    for (const { what, input } of wrong) {
      const answer = send(input);
      expect(answer, what).toMatchObject({
        kind: 'error',
        error: { code: expect.stringMatching(new RegExp(`^(${REFUSALS[service].join('|')})$`)) },
      });
    }
    for (const input of [null, [], 'text', 7, true]) expect(send(input).kind).toBe('error');
    expect(sandbox.accounts()).toEqual(before);
  });
});
