import * as z from 'zod';
import type { AnswerTypes, Route } from './route.ts';
import { SCHEMAS, type SchemaName } from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI 3.1 document, derived from the endpoints and schemas of the app. https://spec.openapis.org/oas/v3.1.0 */
export function openApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rollcall',
      version,
      description:
        'The recorded state of the organization, and the commands of operators. Errors are RFC 9457 problems with a stable `code`. Fields may be added to answers.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: componentSchemas(),
      responses: {
        Problem: {
          description: 'What is wrong, where, and how to fix it',
          content: { 'application/problem+json': { schema: reference('Problem') } },
        },
      },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'On any address other than loopback' },
        iam: {
          type: 'apiKey',
          name: 'Authorization',
          in: 'header',
          description: 'AWS Signature Version 4, in the aws runtime',
        },
      },
    },
    // `{}` stands for no authentication, which is possible on loopback.
    security: [{ bearer: [] }, { iam: [] }, {}],
  };
}

const reference = (name: SchemaName): Json => ({ $ref: `#/components/schemas/${name}` });

/** Options that remove `readOnly`, which zod adds for readonly lists. In OpenAPI it means that requests should not contain the field. */
const plain = {
  override: ({ jsonSchema }: { readonly jsonSchema: { readOnly?: unknown } }) => void delete jsonSchema.readOnly,
};

function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    ...plain,
    // `output` would forbid additional fields, and newer versions may add some to answers.
    io: 'input',
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutIdentity(schema)]));
}

function withoutIdentity(schema: object): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !['$id', '$schema', 'id'].includes(key)));
}

function operation({ method, operationId, summary, role, query, params, body, answer }: Route): Json {
  const types: AnswerTypes = 'schema' in answer ? { 'application/json': answer.schema } : answer.types;
  const content = Object.entries(types).map(([type, name]) => {
    const schema = name === null ? { type: 'string' } : reference(name);
    return [type, { schema }];
  });
  return {
    operationId,
    summary,
    'x-rollcall-role': role,
    parameters: [...parameters('path', params), ...parameters('query', query)],
    ...(method === 'post' && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: {
      200: { description: 'Success', content: Object.fromEntries(content) },
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

function parameters(where: 'path' | 'query', schema: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = schemaOf(schema, 'input');
  const output = schemaOf(schema, 'output').properties ?? {};
  return Object.keys(properties).map((name) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    // The type after parsing, such as a number, although every query value is text.
    schema: output[name] ?? properties[name],
  }));
}

function schemaOf(schema: z.ZodObject, io: 'input' | 'output') {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { ...plain, io });
  return rest;
}
