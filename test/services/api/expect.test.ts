import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { PATIENCE } from '../../../services/api/node-door.ts';
import { SECURITY_HEADERS } from '../../../services/api/security/headers.ts';
import { readControls } from '../../../shared/app/guardrails/controls.ts';
import { api, OPERATE, openSocket, READ, TOKENS, untilClosed } from './support.ts';

/*
 * Headers that Node answers by itself by default: `Expect`, which asks for permission to send the body, and `Upgrade`.
 */

/** Longer than a test takes, so a closed connection was closed deliberately. */
const PATIENT = { ...PATIENCE, keepAliveMs: 60_000 };
const JSON_TYPE = 'Content-Type: application/json';
const bearer = (token: string): string => `Authorization: Bearer ${token}`;

const head = (line: string, headers: readonly string[]): string =>
  `${[`${line} HTTP/1.1`, 'Host: x', ...headers].join('\r\n')}\r\n\r\n`;

const statusLines = (text: string): readonly string[] => text.match(/^HTTP\/1\.1 .*$/gm) ?? [];

describe('Expect: 100-continue', () => {
  test.each([
    ['without a token', [JSON_TYPE, 'Content-Length: 9'], '401 Unauthorized'],
    ['without a token, in chunks', [JSON_TYPE, 'Transfer-Encoding: chunked'], '401 Unauthorized'],
    ['without the role', [bearer(READ), JSON_TYPE, 'Content-Length: 9'], '403 Forbidden'],
    ['with another content type', [bearer(OPERATE), 'Content-Length: 9'], '415 Unsupported Media Type'],
    ['with a body that is too large', [bearer(OPERATE), JSON_TYPE, 'Content-Length: 65537'], '413 Payload Too Large'],
  ])('a request %s is refused and closed, and its body is not asked for', async (_, headers, status) => {
    const socket = await openSocket(await api({ env: TOKENS, patience: PATIENT }));
    socket.write(head('POST /api/halt', [...headers, 'Expect: 100-continue']));
    const text = await untilClosed(socket);
    expect(statusLines(text)).toEqual([`HTTP/1.1 ${status}`]);
    expect(text).toMatch(/^connection: close\r$/im);
  });

  const body = '{"reason":"incident"}';
  const length = body.length;
  test.each([
    ['of known length', `Content-Length: ${length}`, body],
    ['in chunks', 'Transfer-Encoding: chunked', `${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`],
  ])('the body of an admitted request, %s, is asked for once and read', async (_, framing, sent) => {
    const own = await api({ env: TOKENS, patience: PATIENT });
    const socket = await openSocket(own);
    socket.write(head('POST /api/halt', [bearer(OPERATE), JSON_TYPE, framing, 'Expect: 100-continue']));
    const [invitation]: Buffer[] = await once(socket, 'data');
    expect(invitation?.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    expect((await readControls(own.system.stores.registers)).halt).toBeNull();
    socket.write(`${sent}${head('GET /api/health', ['Connection: close'])}`);
    expect(statusLines(await untilClosed(socket))).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK']);
    expect((await readControls(own.system.stores.registers)).halt).not.toBeNull();
  });

  test('a request without a body is answered without 100 Continue', async () => {
    const socket = await openSocket(await api({ env: TOKENS, patience: PATIENT }));
    socket.write(head('GET /api/status', [bearer(READ), 'Expect: 100-continue', 'Connection: close']));
    expect(statusLines(await untilClosed(socket))).toEqual(['HTTP/1.1 200 OK']);
  });
});

test('any other expectation gets 417, with the security headers, and the connection is closed', async () => {
  const socket = await openSocket(await api({ env: TOKENS, patience: PATIENT }));
  socket.write(head('POST /api/halt', [bearer(OPERATE), JSON_TYPE, 'Content-Length: 9', 'Expect: tea']));
  const text = await untilClosed(socket);
  expect(statusLines(text)).toEqual(['HTTP/1.1 417 Expectation Failed']);
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    expect(text.toLowerCase()).toContain(`\r\n${name}: ${value}\r\n`.toLowerCase());
  }
});

describe('Upgrade', () => {
  test.each([
    ['without a token', [], 'HTTP/1.1 401 Unauthorized'],
    ['with a token', [bearer(READ)], 'HTTP/1.1 200 OK'],
  ])('a request %s is answered as if it had not asked, and the connection is closed', async (_, headers, status) => {
    for (const protocol of ['websocket', 'h2c']) {
      const socket = await openSocket(await api({ env: TOKENS, patience: PATIENT }));
      const upgrade = head('GET /api/status', [...headers, 'Connection: Upgrade', `Upgrade: ${protocol}`]);
      // The following bytes may belong to the other protocol, so they are not parsed as a request.
      socket.write(`${upgrade}${head('GET /api/health', [])}`);
      expect(statusLines(await untilClosed(socket))).toEqual([status]);
    }
  });
});
