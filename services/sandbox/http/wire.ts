import { cbor, dateToTag } from '@smithy/core/cbor';
import { Failure } from '../engine/operation.ts';
import type { Service } from '../engine/services.ts';
import type { ApiError, Output } from '../engine/types.ts';
import { decodeQuery, encodeQueryError, encodeQueryResult } from './query.ts';

/** A protocol bound to one operation: decodes its input and encodes its responses. */
export type Wire = {
  service: Service;
  operation: string;
  contentType: string;
  headers: Readonly<Record<string, string>>;
  decode(body: Buffer): unknown;
  encodeOutput(output: Output, requestId: string): string | Uint8Array;
  encodeError(error: ApiError, requestId: string): string | Uint8Array;
};

const NO_HEADERS = Object.freeze({});

const malformed = (what: string): Failure => new Failure('SerializationException', `The request body is not ${what}.`);

/** Copies a response for encoding: without undefined members, and with times in the codec's format. */
function plain(value: unknown, time: (date: Date) => unknown): unknown {
  if (value instanceof Date) return time(value);
  if (Array.isArray(value)) return value.map((item: unknown) => plain(item, time));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) if (member !== undefined) copy[name] = plain(member, time);
  return copy;
}

const epochSeconds = (date: Date): number => date.getTime() / 1000;

/** Services that spell it `Message`; the others spell it `message`. */
const CAPITAL_MESSAGE: ReadonlySet<string> = new Set(['organizations', 'tagging']);

function errorBody(service: Service, error: ApiError, type: string): Record<string, unknown> {
  const messageName = CAPITAL_MESSAGE.has(service.name) ? 'Message' : 'message';
  return { __type: type, [messageName]: error.message, ...error.members };
}

/** awsJson1_0 qualifies the error type with its namespace, awsJson1_1 does not. */
export function jsonWire(service: Service, operation: string, version: '1.0' | '1.1'): Wire {
  return {
    service,
    operation,
    contentType: `application/x-amz-json-${version}`,
    headers: NO_HEADERS,
    decode: (body) => {
      if (body.length === 0) return {};
      try {
        return JSON.parse(body.toString('utf8'));
      } catch {
        return malformed('valid JSON');
      }
    },
    encodeOutput: (output) => JSON.stringify(plain(output, epochSeconds)),
    encodeError: (error) =>
      JSON.stringify(errorBody(service, error, version === '1.0' ? qualified(service, error.code) : error.code)),
  };
}

export function cborWire(service: Service, operation: string): Wire {
  return {
    service,
    operation,
    contentType: 'application/cbor',
    headers: { 'smithy-protocol': 'rpc-v2-cbor' },
    decode: (body) => {
      if (body.length === 0) return {};
      try {
        return cbor.deserialize(body);
      } catch {
        return malformed('valid CBOR');
      }
    },
    encodeOutput: (output) => cbor.serialize(plain(output, dateToTag)),
    encodeError: (error) => cbor.serialize(errorBody(service, error, qualified(service, error.code))),
  };
}

function qualified(service: Service, code: string): string {
  const namespace = service.model.errors.has(code) ? service.model.namespace : 'com.amazon.coral.service';
  return `${namespace}#${code}`;
}

/** awsQuery. The operation is a parameter of the body, so the body is already parsed. */
export function queryWire(service: Service, operation: string, parameters: URLSearchParams): Wire {
  return {
    service,
    operation,
    contentType: 'text/xml',
    headers: NO_HEADERS,
    decode: () => {
      const shape = service.operations.get(operation)?.model.inputShape;
      return shape === undefined ? {} : decodeQuery(parameters, service.model, shape);
    },
    encodeOutput: (output, requestId) => encodeQueryResult(operation, output, requestId),
    encodeError: (error, requestId) =>
      encodeQueryError({ ...error, code: service.model.queryCodes.get(error.code) ?? error.code }, requestId),
  };
}
