import type { ServiceModel } from '../engine/smithy.ts';
import type { ApiError, Output } from '../engine/types.ts';

/** awsQuery: form parameters in, XML out. */

const MAX_LIST = 1000;

/** Builds the input of an operation from form parameters, by the shapes of its model. Unknown parameters are ignored. */
export function decodeQuery(parameters: URLSearchParams, model: ServiceModel, shapeId: string): unknown {
  return decodeShape(parameters, model, shapeId, '');
}

function decodeShape(parameters: URLSearchParams, model: ServiceModel, shapeId: string, path: string): unknown {
  const shape = model.shape(shapeId);
  if (shape?.type === 'structure') {
    const prefix = path === '' ? '' : `${path}.`;
    const members = Object.entries(shape.members ?? {})
      .map(([name, { target }]) => [name, decodeShape(parameters, model, target, `${prefix}${name}`)] as const)
      .filter(([, value]) => value !== undefined && value !== null);
    return path !== '' && members.length === 0 ? undefined : Object.fromEntries(members);
  }
  if (shape?.type === 'list' && shape.member !== undefined) {
    const items: unknown[] = [];
    while (items.length < MAX_LIST) {
      const item = decodeShape(parameters, model, shape.member.target, `${path}.member.${items.length + 1}`);
      if (item === undefined) break;
      items.push(item);
    }
    return items.length === 0 ? undefined : items;
  }
  const value = parameters.get(path);
  if (value === null) return undefined;
  const numeric = shape?.type === 'integer' || shape?.type === 'long';
  return numeric && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

export function encodeQueryResult(operation: string, output: Output, requestId: string): string {
  const result = `<${operation}Result>${elements(output)}</${operation}Result>`;
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
  return `<${operation}Response xmlns="${NAMESPACE}">${result}${metadata}</${operation}Response>`;
}

export function encodeQueryError(error: ApiError, requestId: string): string {
  const type = error.httpStatus < 500 ? 'Sender' : 'Receiver';
  const inner = elements({ Type: type, Code: error.code, Message: error.message });
  return `<ErrorResponse xmlns="${NAMESPACE}"><Error>${inner}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
}

function elements(structure: object): string {
  return Object.entries(structure)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]: [string, unknown]) => `<${name}>${content(value)}</${name}>`)
    .join('');
}

function content(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item: unknown) => `<member>${content(item)}</member>`).join('');
  if (typeof value === 'object' && value !== null) return elements(value);
  return escapeXml(String(value));
}
