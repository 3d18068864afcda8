import * as z from 'zod';
import { openApi } from '../../services/api/openapi.ts';
import { ROUTES } from '../../services/api/routes.ts';
import { code, table } from './markdown.ts';

/** The part of the OpenAPI document that the page shows. */
const Document = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
const Operation = z.object({
  summary: z.string(),
  'x-rollcall-role': z.string(),
  parameters: z.array(
    z.object({
      name: z.string(),
      in: z.string(),
      required: z.boolean(),
      schema: z.looseObject({ enum: z.array(z.unknown()).optional(), type: z.unknown().optional() }),
    }),
  ),
  requestBody: z
    .object({
      content: z.record(
        z.string(),
        z.object({
          schema: z.looseObject({
            properties: z.record(z.string(), z.unknown()).optional(),
            required: z.array(z.string()).optional(),
          }),
        }),
      ),
    })
    .optional(),
  responses: z.object({
    200: z.object({
      content: z.record(z.string(), z.object({ schema: z.looseObject({ $ref: z.string().optional() }) })),
    }),
  }),
});

/** Every endpoint, from the OpenAPI document. */
export function apiRoutes(): string {
  const { paths } = Document.parse(openApi(ROUTES, '0'));
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      ...Operation.parse(operation),
    })),
  );
  return [
    ...table(
      ['endpoint', 'role', 'does'],
      operations.map(({ method, path, summary, ...rest }) => [
        code(`${method} ${path}`),
        rest['x-rollcall-role'],
        summary,
      ]),
    ),
    ...operations.flatMap(({ method, path, summary, parameters, requestBody, responses }) => [
      `### ${method} ${path}`,
      '',
      `${summary}. Answers ${answersOf(responses[200].content)}.`,
      '',
      ...table(
        ['parameter', 'in', 'values'],
        [
          ...parameters.map((each) => [name(each.name, each.required), each.in, valuesOf(each.schema)]),
          ...Object.values(requestBody?.content ?? {}).flatMap(({ schema: { properties = {}, required = [] } }) =>
            Object.entries(properties).map(([field, schema]) => [
              name(field, required.includes(field)),
              'body',
              valuesOf(z.looseObject({}).parse(schema)),
            ]),
          ),
        ],
      ),
    ]),
  ].join('\n');
}

const name = (text: string, required: boolean): string => `${code(text)}${required ? '' : ' (optional)'}`;

function answersOf(
  content: Readonly<Record<string, { readonly schema: { readonly $ref?: string | undefined } }>>,
): string {
  return Object.entries(content)
    .map(([type, { schema }]) => (schema.$ref === undefined ? type : `${type} (\`${schema.$ref.split('/').at(-1)}\`)`))
    .join(', ');
}

function valuesOf(schema: Readonly<Record<string, unknown>>): string {
  const { enum: choices, type } = z
    .looseObject({ enum: z.array(z.unknown()).optional(), type: z.unknown().optional() })
    .parse(schema);
  if (choices !== undefined) return choices.map((each) => code(String(each))).join(', ');
  return typeof type === 'string' ? type : 'text';
}
