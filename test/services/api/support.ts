import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type * as z from 'zod';
import { RATES } from '../../../services/api/app.ts';
import { Feed } from '../../../services/api/live/feed.ts';
import { RecentEntries } from '../../../services/api/live/recent-entries.ts';
import { type NodeDoorOptions, type OpenDoor, openNodeDoor, PATIENCE } from '../../../services/api/node-door.ts';
import type { Pages } from '../../../services/api/pages.ts';
import type { ApiSystem } from '../../../services/api/system.ts';
import type { EmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { makeNewId } from '../../../shared/adapters/system/ids.ts';
import { AccountTable } from '../../../shared/app/queries/account-list.ts';
import { AsOfCache } from '../../../shared/app/queries/audit/as-of-cache.ts';
import { ReportCache } from '../../../shared/app/queries/audit/report-cache.ts';
import { Instruments } from '../../../shared/app/queries/instruments/instruments.ts';
import { WorkMeter } from '../../../shared/app/queries/instruments/work-meter.ts';
import { KnownDrifts } from '../../../shared/app/queries/known-drifts.ts';
import { DayAgo } from '../../../shared/app/queries/overview.ts';
import { RunCache } from '../../../shared/app/queries/run-cache.ts';
import { CallMeter } from '../../../shared/app/rate-limiter/call-meter.ts';
import { Verification } from '../../../shared/app/runtime/verification.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { readApiTokens } from '../../../shared/config/api-env.ts';
import type { CompiledPolicy } from '../../../shared/domain/policy/index.ts';
import type { Clock, LogFields, Logger } from '../../../shared/ports/system.ts';
import { MANUAL_CLOCK_START, manualClock } from '../../support/manual-clock.ts';
import { compiled, policyText } from '../../support/world-policy.ts';

export const READ = 'r'.repeat(40);
export const OPERATE = 'o'.repeat(40);
export const TOKENS = { ROLLCALL_TOKEN_READ: READ, ROLLCALL_TOKEN_OPERATE: `anna=${OPERATE}` };

export interface ApiParts extends Partial<Pick<NodeDoorOptions, 'host' | 'pages' | 'rates' | 'patience' | 'places'>> {
  /** The tokens in the environment; default: none. */
  readonly env?: Readonly<Record<string, string>>;
  readonly store?: EmbeddedStore;
  readonly clock?: Clock;
  readonly policy?: CompiledPolicy;
  readonly reader?: ApiSystem['reader'];
  /** What the metrics count of this process; default: nothing. */
  readonly meters?: { readonly calls: CallMeter; readonly work: WorkMeter };
}

export interface TestApi {
  readonly door: OpenDoor;
  readonly system: ApiSystem;
  readonly logged: { readonly message: string; readonly fields: LogFields | undefined }[];
  /** A raw request by Node's own client, which sends exactly the given headers and body. */
  send(path: string, options?: SendOptions): Promise<Answer>;
  /** A GET whose answer has exactly the documented shape. */
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

interface SendOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** The body as sent. */
  readonly bytes: Buffer;
  readonly text: string;
  /** `null`: the body is not JSON, or is compressed. */
  readonly json: unknown;
}

export async function store(clock: Clock): Promise<EmbeddedStore> {
  const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-api-'));
  const opened = await openStore({ dataDir, clock, readOnly: false });
  onTestFinished(async () => {
    await opened.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return opened;
}

/** The API on its own port with its own store. */
export async function api(parts: ApiParts = {}): Promise<TestApi> {
  const clock = parts.clock ?? manualClock();
  const stores = parts.store ?? (await store(clock));
  const logged: TestApi['logged'] = [];
  const log = (message: string, fields?: LogFields): void => void logged.push({ message, fields });
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const policy = parts.policy ?? compiled(policyText(), MANUAL_CLOCK_START);
  const meters = parts.meters ?? { calls: new CallMeter(clock), work: new WorkMeter() };
  const system: ApiSystem = {
    ...{
      stores,
      clock,
      logger,
      version: '0.0.0',
      runtime: 'embedded',
      deployedBus: null,
      newId: makeNewId(clock),
      streams: true,
      pollMs: 100,
    },
    accounts: new AccountTable(stores, clock, 0),
    asOf: new AsOfCache(clock),
    verification: new Verification({ stores, clock, logger, inBackground: false }),
    reports: new ReportCache(clock),
    dayAgo: new DayAgo(clock),
    runs: new RunCache(clock),
    knownDrifts: new KnownDrifts(clock),
    instruments: new Instruments({
      ...{ stores, clock, deployedBus: null, maxAgeMs: 0 },
      process: { version: '0.0.0', runtime: 'embedded', startedAt: clock.now(), ...meters },
    }),
    feed: new Feed(clock),
    recent: new RecentEntries(stores.ledger, clock, 0),
    policy: async () => ({ policy, file: 'rollcall.yaml', warnings: [] }),
    ...(parts.reader !== undefined && { reader: parts.reader }),
  };
  const none = async (): Promise<Pages | null> => null;
  const { host = '127.0.0.1', pages = none, rates = RATES } = parts;
  const tokens = readApiTokens(parts.env ?? {});
  const { patience = PATIENCE, places } = parts;
  const door = await openNodeDoor({
    ...{ system, host, port: 0, tokens, localActor: 'user:test', pages, rates, patience },
    ...(places !== undefined && { places }),
  });
  onTestFinished(() => door.close());
  const send = (path: string, options: SendOptions = {}) => sendTo(door.port, path, options);
  return {
    ...{ door, system, logged, send },
    get: async (path, schema) => {
      const answer = await send(path);
      expect(answer.status, answer.text).toBe(200);
      return documented(schema, answer.json);
    },
    post: (path, body, headers = {}) =>
      send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
  };
}

/** The answer, checked to have exactly the documented shape. */
export function documented<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.parse(json);
  expect(parsed).toEqual(json);
  return parsed;
}

async function sendTo(port: number, path: string, options: SendOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options;
  const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, setHost: !('host' in headers) });
  request.end(body);
  const [incoming]: IncomingMessage[] = await once(request, 'response');
  if (incoming === undefined) throw new Error('no answer');
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part);
  const bytes = Buffer.concat(parts);
  const text = bytes.toString();
  const { 'content-type': type = '', 'content-encoding': encoding } = incoming.headers;
  const isJson = encoding === undefined && /^application\/(problem\+)?json/.test(type);
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    ...{ bytes, text },
    json: isJson && text !== '' ? JSON.parse(text) : null,
  };
}

/** A connection whose bytes the test writes itself. */
export async function openSocket({ door }: TestApi): Promise<Socket> {
  const socket = connect(door.port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** All bytes that the server sends until it closes the connection. */
export async function untilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (part) => {
    text += part.toString();
  });
  if (!socket.closed) await once(socket, 'close');
  return text;
}
