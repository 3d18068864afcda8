import type { IncomingHttpHeaders } from 'node:http';
import type { Service } from '../engine/services.ts';
import { cborWire, jsonWire, queryWire, type Wire } from './wire.ts';

/** The error for a request without a known operation. The response is JSON, as from AWS. */
export type NoSuchOperation = { code: string; httpStatus: number; message: string };

/** Only the last segments count, because an endpoint may have a path prefix. */
const CBOR_PATH = /\/service\/([^/]+)\/operation\/([^/?]+)\/?(?:\?.*)?$/;
const QUERY_VERSION = '2011-06-15';

export type Dispatcher = (
  method: string,
  url: string,
  headers: IncomingHttpHeaders,
  body: Buffer,
) => Wire | NoSuchOperation;

/** Determines a request's operation and protocol: by smithy-protocol and path, by X-Amz-Target, or by Action. */
export function createDispatcher(services: readonly Service[]): Dispatcher {
  const byShape = new Map(services.map((service) => [service.model.shapeName, service]));
  const cborCapable = new Set(['compute-optimizer', 'aco-automation']);
  const sts = services.find(({ name }) => name === 'sts');
  const wires = new Map<string, Wire>();

  /** A `Wire` has no state, so it is made once for each operation and protocol. Unknown operations are not cached: their number has no limit. */
  const cached = (key: string, service: Service, operation: string, make: () => Wire): Wire => {
    if (!service.operations.has(operation)) return make();
    const known = wires.get(key);
    if (known !== undefined) return known;
    const made = make();
    wires.set(key, made);
    return made;
  };

  const byTarget = (target: string, contentType: string): Wire | NoSuchOperation => {
    const dot = target.lastIndexOf('.');
    const service = byShape.get(target.slice(0, dot));
    const operation = target.slice(dot + 1);
    if (service === undefined || service === sts) return unknownOperation(`Unknown target ${target}`);
    const version = /^application\/x-amz-json-(1\.[01])(?:;|$)/.exec(contentType)?.[1];
    if (version !== '1.0' && version !== '1.1') return unsupportedMediaType(contentType);
    return cached(`${target} ${version}`, service, operation, () => jsonWire(service, operation, version));
  };

  const byPath = (url: string, contentType: string, bodyLength: number): Wire | NoSuchOperation => {
    const [, shapeName = '', operation = ''] = CBOR_PATH.exec(url) ?? [];
    const service = byShape.get(shapeName);
    if (service === undefined || !cborCapable.has(service.name)) return unknownOperation(`Unknown path ${url}`);
    const typed = /^application\/cbor(?:;|$)/.test(contentType) || (contentType === '' && bodyLength === 0);
    if (!typed) return unsupportedMediaType(contentType);
    return cached(`cbor ${shapeName} ${operation}`, service, operation, () => cborWire(service, operation));
  };

  const byAction = (parameters: URLSearchParams): Wire | NoSuchOperation => {
    const action = parameters.get('Action');
    if (sts === undefined || action === null) return unknownOperation('The request names no operation');
    const version = parameters.get('Version');
    const operation = version === QUERY_VERSION ? action : `${action} for version ${version ?? ''}`;
    return queryWire(sts, operation, parameters);
  };

  return (method, url, headers, body) => {
    // Media types are case-insensitive (RFC 9110, 8.3.1).
    const contentType = (headers['content-type'] ?? '').toLowerCase();
    const question = url.indexOf('?');
    if (method === 'GET' && question >= 0) return byAction(new URLSearchParams(url.slice(question + 1)));
    if (method !== 'POST') return unknownOperation(`There is no ${method} here`);
    const protocol = headers['smithy-protocol'];
    if (protocol === 'rpc-v2-cbor') return byPath(url, contentType, body.length);
    if (protocol !== undefined) return unknownOperation(`Unknown smithy-protocol ${String(protocol)}`);
    const target = headers['x-amz-target'];
    if (typeof target === 'string') return byTarget(target, contentType);
    if (contentType.startsWith('application/x-www-form-urlencoded'))
      return byAction(new URLSearchParams(body.toString('utf8')));
    return unknownOperation('The request names no operation');
  };
}

function unknownOperation(message: string): NoSuchOperation {
  return { code: 'UnknownOperationException', httpStatus: 404, message };
}

function unsupportedMediaType(contentType: string): NoSuchOperation {
  return {
    code: 'UnsupportedMediaTypeException',
    httpStatus: 415,
    message: `Unsupported content type '${contentType}'`,
  };
}
