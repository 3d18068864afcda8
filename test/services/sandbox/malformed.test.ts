import { connect } from 'node:net';
import { cbor } from '@smithy/core/cbor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunningSandbox } from '../../../services/sandbox/start.ts';
import { authorization, json, rpcCbor, SIGNED_AT, sandboxForTest } from './support.ts';

/** The sandbox answers any malformed input with a client error, and continues. */
async function isAlive(running: RunningSandbox): Promise<void> {
  expect((await json(running, 'compute-optimizer', 'GetEnrollmentStatus')).status).toBe(200);
}

const deep = (open: string, close: string) => open.repeat(200_000) + close.repeat(200_000);

describe('bodies', () => {
  test.each([
    ['nothing', ''],
    ['half an object', '{"status":'],
    ['a lone surrogate', '{"status":"\ud800"}'],
    ['an array', '[]'],
    ['a string', '"Active"'],
    ['null', 'null'],
    ['a number', '1e999'],
    ['a null member', '{"status":null}'],
    ['a number for a status', '{"status":1}'],
    ['an object for a status', '{"status":{"Active":true}}'],
    ['a prototype for a status', '{"__proto__":{"status":"Active"}}'],
    ['a text for a boolean', '{"status":"Active","includeMemberAccounts":"yes"}'],
    ['deep nesting', deep('[', ']')],
    ['deep objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['control characters', '\u0000\u0001\u0002'],
  ])('awsJson: %s', async (_, body) => {
    const running = await sandboxForTest();
    const { status, error } = await json(running, 'compute-optimizer', 'UpdateEnrollmentStatus', body);
    expect(status).toBe(400);
    expect(['SerializationException', 'InvalidParameterValueException']).toContain(error);
    await isAlive(running);
  });

  test.each([
    ['a break without a start', [0xff]],
    ['a map that ends early', [0xa1, 0x66]],
    ['a list of four billion items', [0x9a, 0xff, 0xff, 0xff, 0xff]],
    ['a string longer than the body', [0x7b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a reserved length', [0xbc]],
    ['a list', [0x80]],
    ['an integer', [0x01]],
    ['null', [0xf6]],
    ['an endless map', [0xbf, 0x61, 0x61]],
    ['deep nesting', Array.from({ length: 200_000 }, () => 0x81)],
  ])('rpc-v2-cbor: %s', async (_, bytes) => {
    const running = await sandboxForTest();
    const { status, error } = await rpcCbor(
      running,
      'compute-optimizer',
      'UpdateEnrollmentStatus',
      Uint8Array.from(bytes),
    );
    expect({ status, error }).toEqual({ status: 400, error: 'SerializationException' });
    await isAlive(running);
  });

  test('rpc-v2-cbor: a number too large to be exact', async () => {
    const running = await sandboxForTest();
    const input = cbor.serialize({ maxResults: 2n ** 60n });
    const answer = await rpcCbor(running, 'aco-automation', 'ListAccounts', input);
    expect(answer).toMatchObject({ status: 400, error: 'SerializationException' });
  });

  test('no JSON causes a server error in any operation', async () => {
    const running = await sandboxForTest();
    const operation = fc.constantFrom(
      ...(['UpdateEnrollmentStatus', 'GetEnrollmentStatusesForOrganization'] as const).map(
        (name) => ['compute-optimizer', name] as const,
      ),
      ...(['UpdateEnrollmentConfiguration', 'ListAccounts', 'AssociateAccounts'] as const).map(
        (name) => ['aco-automation', name] as const,
      ),
      ['organizations', 'ListTagsForResource'] as const,
      ['events', 'PutEvents'] as const,
    );
    const member = fc.constantFrom(
      'status',
      'filters',
      'nextToken',
      'maxResults',
      'accountIds',
      'clientToken',
      'ResourceId',
      'Entries',
      '__proto__',
      'constructor',
    );
    const input = fc.oneof(fc.jsonValue(), fc.dictionary(member, fc.jsonValue()));
    await fc.assert(
      fc.asyncProperty(operation, input, async ([service, name], value) => {
        const { status } = await json(running, service, name, JSON.stringify(value));
        expect([200, 400]).toContain(status);
      }),
      { numRuns: 300 },
    );
    await isAlive(running);
  });

  test('no CBOR body causes a server error', async () => {
    const running = await sandboxForTest();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 40 }), async (bytes) => {
        const { status } = await rpcCbor(running, 'aco-automation', 'AssociateAccounts', bytes);
        expect(status).toBe(400);
      }),
      { numRuns: 300 },
    );
    await isAlive(running);
  });

  test('bodies over 1 MiB are rejected, chunked or with a length', async () => {
    const running = await sandboxForTest();
    const { port } = new URL(running.endpoint);
    const answer = await raw(Number(port), [
      'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
      ...Array.from({ length: 20 }, () => `10000\r\n${'x'.repeat(0x10000)}\r\n`),
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    const large = await raw(Number(port), [
      `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1048577\r\n\r\n${'x'.repeat(1_048_577)}`,
    ]);
    expect(large).toMatch(/^HTTP\/1\.1 413 /);
    await isAlive(running);
  });
});

/** Sends these bytes. @returns the bytes received before the connection ended */
function raw(port: number, pieces: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => {
      for (const piece of pieces) socket.write(piece);
    });
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      socket.end();
    });
    // A server that rejects a request may close the connection while the rest is still being sent.
    socket.on('error', () => resolve(received));
    socket.on('close', () => resolve(received));
  });
}

describe('connections', () => {
  test.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['a bad header', 'POST / HTTP/1.1\r\nbad header\r\n\r\n'],
    ['a bad length', 'POST / HTTP/1.1\r\ncontent-length: minus\r\n\r\n'],
    ['an unknown method', 'BREW / HTTP/1.1\r\nhost: x\r\n\r\n'],
  ])('%s', async (_, bytes) => {
    const running = await sandboxForTest();
    expect(await raw(Number(new URL(running.endpoint).port), [bytes])).toMatch(/^HTTP\/1\.1 4\d\d /);
    await isAlive(running);
  });

  test('a connection that breaks in the middle of a body is dropped', async () => {
    const running = await sandboxForTest();
    const { port } = new URL(running.endpoint);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        const head = `POST / HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization('1', 'sts')}\r\ncontent-length: 99\r\n\r\n{"a`;
        socket.write(head, () => socket.destroy());
      });
      socket.on('close', () => resolve());
    });
    await isAlive(running);
    expect(running.sandbox.calls()).toHaveLength(1);
  });

  test.each([
    'x-amz-target: .',
    'x-amz-target: ComputeOptimizerService',
    'x-amz-target: ComputeOptimizerService.__proto__',
    'x-amz-target: ComputeOptimizerService.constructor',
    'x-amz-target: __proto__.toString',
    'x-amz-target: AWSSecurityTokenServiceV20110615.GetCallerIdentity',
  ])('the odd header %s finds no operation', async (header) => {
    const running = await sandboxForTest();
    const { managementAccountId } = running.info;
    const head = `POST / HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization(managementAccountId, 'compute-optimizer')}\r\nx-amz-date: ${SIGNED_AT}\r\n`;
    const type = 'content-type: application/x-amz-json-1.0\r\n';
    const answer = await raw(Number(new URL(running.endpoint).port), [
      `${head}${type}${header}\r\ncontent-length: 2\r\n\r\n{}`,
    ]);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('UnknownOperationException');
  });
});
