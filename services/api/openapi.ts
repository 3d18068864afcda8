import * as z from 'zod';
import type { Route } from './route.ts';
import { SCHEMAS, type SchemaName } from './schemas.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * The OpenAPI 3.1 document, derived from the endpoints and schemas that the app uses, so that the two always agree.
 * https://spec.openapis.org/oas/v3.1.0
 */
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
    // `{}`: no authentication, on loopback without tokens.
    security: [{ bearer: [] }, { iam: [] }, {}],
  };
}

const reference = (name: SchemaName): Json => ({ $ref: `#/components/schemas/${name}` });

/** In the document, readonly lists are plain arrays. */
const plain = {
  override: ({ jsonSchema }: { readonly jsonSchema: { readOnly?: unknown } }) => void delete jsonSchema.readOnly,
};

function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    ...plain,
    // Answers may have additional fields, and only `input` allows them.
    io: 'input',
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutIdentity(schema)]));
}

function withoutIdentity(schema: object): Json {
  return Object.fromEntries(
    Object.entries(schema).filter(([key]) => key !== '$id' && key !== '$schema' && key !== 'id'),
  );
}

function operation({ method, operationId, summary, role, query, params, body, answer }: Route): Json {
  const content =
    'schema' in answer
      ? { 'application/json': { schema: reference(answer.schema) } }
      : Object.fromEntries(
          Object.entries(answer.types).map(([type, schema]) => [
            type,
            { schema: schema === null ? { type: 'string' } : reference(schema) },
          ]),
        );
  return {
    ...{ operationId, summary, 'x-rollcall-role': role },
    parameters: [...parameters('path', params), ...parameters('query', query)],
    ...(method === 'post' && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: {
      200: { description: 'Success', content },
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
    // The parsed type: a number, although every query value is text.
    schema: output[name] ?? properties[name],
  }));
}

function schemaOf(schema: z.ZodObject, io: 'input' | 'output') {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { ...plain, io });
  return rest;
}
