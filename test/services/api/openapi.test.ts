import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { openApi } from '../../../services/api/openapi.ts';
import { ROUTES } from '../../../services/api/routes.ts';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { api } from './support.ts';

const parameter = z.object({
  name: z.string().min(1),
  in: z.enum(['path', 'query']),
  required: z.boolean(),
  schema: z.looseObject({}),
});
const operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  summary: z.string().min(1),
  'x-rollcall-role': z.enum(['read', 'operate', 'events']),
  parameters: z.array(parameter),
  requestBody: z
    .object({ required: z.literal(true), content: z.object({ 'application/json': z.looseObject({}) }) })
    .optional(),
  responses: z.object({ 200: z.looseObject({ description: z.string() }), default: z.looseObject({}) }),
});
const documentShape = z.object({
  openapi: z.literal('3.1.0'),
  info: z.object({ title: z.string(), version: z.string() }),
  paths: z.record(z.string().startsWith('/'), z.partialRecord(z.enum(['get', 'post']), operation)),
  components: z.object({
    schemas: z.record(z.string().regex(/^[\w.-]+$/), z.looseObject({})),
    responses: z.looseObject({}),
  }),
});

/** Every `$ref` below a value. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => (key === '$ref' ? [String(each)] : references(each)));
}

function at(document: unknown, pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
      document,
    );
}

/** A `post` needs the role `operate`, except for machines and for verifying, which changes nothing in AWS. */
const POST_ROLES: Readonly<Record<string, string>> = { '/api/events': 'events', '/api/audit/verify': 'read' };

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1, and every reference resolves', async () => {
    const own = await api();
    const { json } = await own.send('/openapi.json');
    const document = documentShape.parse(json);
    const found = references(json);
    expect(found.length).toBeGreaterThan(20);
    for (const reference of found) expect(at(json, reference), reference).toBeTypeOf('object');
    const ids = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    for (const [path, item] of Object.entries(document.paths)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters } of Object.values(item)) {
        expect(
          parameters.filter((each) => each.in === 'path').map(({ name }) => name),
          path,
        ).toEqual(named);
        expect(parameters.filter((each) => each.in === 'path' && !each.required)).toEqual([]);
      }
    }
    expect(Object.keys(document.components.schemas).sort()).toEqual(Object.keys(SCHEMAS).sort());
  });

  test('lists exactly the existing endpoints, each with its role', async () => {
    const own = await api();
    const described = Object.entries(documentShape.parse(openApi(ROUTES, '1')).paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { 'x-rollcall-role': role }]) => ({ path, method, role })),
    );
    expect(described.length).toBe(ROUTES.length);
    for (const { path, method, role } of described) {
      expect(role, path).toBe(method === 'get' ? 'read' : (POST_ROLES[path] ?? 'operate'));
      const url = path.replaceAll(/\{\w+\}/g, '111122223333');
      const other = method === 'get' ? 'PUT' : 'DELETE';
      const refused = await own.send(url, { method: other });
      expect(refused.json, url).toMatchObject({ status: 405, code: 'MethodNotAllowed' });
      expect(refused.headers.allow).toContain(method.toUpperCase());
    }
  });

  test('the JSON export is an object, and the other formats are text', () => {
    const { paths } = documentShape.parse(openApi(ROUTES, '1'));
    const answer = paths['/api/audit/export']?.get?.responses[200];
    expect(answer?.['content']).toEqual({
      'application/json': { schema: { $ref: '#/components/schemas/AuditExport' } },
      'text/csv; charset=utf-8; header=present': { schema: { type: 'string' } },
      'application/x-ndjson': { schema: { type: 'string' } },
    });
  });

  test('limits are described as they are validated', () => {
    const { paths } = documentShape.parse(openApi(ROUTES, '1'));
    const limits = Object.entries(paths).flatMap(([path, item]) =>
      (item.get?.parameters ?? []).flatMap(({ name, schema }) => (name === 'limit' ? [{ path, schema }] : [])),
    );
    expect(limits.length).toBeGreaterThan(5);
    for (const { path, schema } of limits) {
      expect(schema).toMatchObject({ type: 'integer', minimum: 1 });
      // One answer may list a whole organization.
      expect(Number(schema['maximum']), path).toBeLessThanOrEqual(path === '/api/accounts' ? 10_000 : 1_000);
    }
  });
});
