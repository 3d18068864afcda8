import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { Feed } from '../../../services/api/live/feed.ts';
import { RecentEntries } from '../../../services/api/live/recent-entries.ts';
import { openNodeDoor } from '../../../services/api/node-door.ts';
import { ROUTES } from '../../../services/api/routes.ts';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { SECURITY_HEADERS } from '../../../services/api/security/headers.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../../../shared/adapters/embedded/store.ts';
import { makeNewId } from '../../../shared/adapters/system/ids.ts';
import { AccountTable } from '../../../shared/app/queries/account-list.ts';
import { AsOfCache } from '../../../shared/app/queries/audit/as-of-cache.ts';
import { ReportCache } from '../../../shared/app/queries/audit/report-cache.ts';
import { KnownDrifts } from '../../../shared/app/queries/known-drifts.ts';
import { DayAgo } from '../../../shared/app/queries/overview.ts';
import { RunCache } from '../../../shared/app/queries/run-cache.ts';
import { Verification } from '../../../shared/app/runtime/verification.ts';
import { readApiTokens } from '../../../shared/config/api-env.ts';
import { account, chainOf, facts, record, sealAll, time, work } from '../../contract/samples.ts';
import { HOST } from '../../support/host.ts';
import { MANUAL_CLOCK_START, manualClock } from '../../support/manual-clock.ts';
import { compiled, policyText } from '../../support/world-policy.ts';
import { jsonCorpusOf } from '../corpus.ts';
import { jsonText } from '../mutate.ts';
import { must, type Read, type Target, take } from '../target.ts';
import { type Asked, caseOf } from './api-requests.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

interface Place {
  readonly port: number;
  readonly agent: Agent;
  readonly store: EmbeddedStore;
  readonly logged: string[];
  cursors: readonly string[];
  entryIds: readonly string[];
  close(): Promise<void>;
}

async function fill(store: EmbeddedStore): Promise<readonly string[]> {
  const run = sealAll('organization', [
    { type: 'ScanStarted', at: time(0), runId: 'run-1', reason: '<script>alert(1)</script>' },
    { type: 'GuardrailTripped', at: time(1), runId: 'run-1', detail: { message: '=1+1', planHash: 'a'.repeat(64) } },
  ]);
  const entries = [...run, ...chainOf(account(1), 12), ...chainOf(account(2), 3)];
  await store.ledger.append(entries);
  for (const n of [1, 2]) {
    const head = entries.findLast(({ chain }) => chain === account(n));
    if (head === undefined) throw new Error('no entries');
    await store.records.advance([{ ...record(account(n), head.seq), head: { seq: head.seq, hash: head.hash } }]);
  }
  await store.queue.send([work(1), work(2)]);
  const [first] = await store.queue.receive(1, 1_000);
  if (first !== undefined) await store.queue.deadLetter(first, { code: 'A', message: '"><b>', entryId: null });
  await store.snapshots.save({
    ...{ organizationId: 'o-aaaaaaaaaa', managementAccountId: account(1), takenAt: MANUAL_CLOCK_START, tags: true },
    accounts: [facts(1, { name: '<img src=x onerror=alert(1)>' }), facts(2), facts(3)],
  });
  return entries.map(({ id }) => id);
}

async function openPlace(): Promise<Place> {
  const dataDir = mkdtempSync(join(tmpdir(), 'rollcall-fuzz-api-'));
  const clock = manualClock();
  const newId = makeNewId(clock);
  const store = await openEmbeddedStore({ ...HOST, dataDir, clock, newId });
  const entryIds = await fill(store);
  const logged: string[] = [];
  const quiet = () => undefined;
  const told = (message: string, fields?: unknown): void => void logged.push(`${message} ${describe(fields)}`);
  const logger = { debug: quiet, info: quiet, warn: told, error: told };
  const policy = compiled(policyText(), MANUAL_CLOCK_START);
  const often = { perSecond: 1e9, burst: 1e9 };
  const door = await openNodeDoor({
    system: {
      ...{ stores: store, clock, newId, version: '0.0.0', streams: false, pollMs: 1 },
      ...{ deployedBus: null, runtime: 'embedded' },
      logger,
      accounts: new AccountTable(store, clock, 0),
      asOf: new AsOfCache(clock),
      verification: new Verification({ stores: store, clock, logger, inBackground: false }),
      reports: new ReportCache(clock),
      dayAgo: new DayAgo(clock),
      runs: new RunCache(clock),
      knownDrifts: new KnownDrifts(clock),
      feed: new Feed(clock),
      recent: new RecentEntries(store.ledger, clock, 0),
      policy: async () => ({ policy, file: null, warnings: [] }),
      reader: () => async (id) => (id === account(3) ? facts(3) : null),
    },
    ...{ host: '127.0.0.1', port: 0, tokens: readApiTokens({}), localActor: 'user:fuzz', pages: async () => null },
    rates: { requests: often, commands: often, urgent: often, refusals: often },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    ...{ port: door.port, agent, store, logged, cursors: [], entryIds },
    close: async () => {
      agent.destroy();
      await door.close();
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function describe(fields: unknown): string {
  const { error } = z.object({ error: z.instanceof(Error) }).safeParse(fields).data ?? {};
  return error?.stack ?? JSON.stringify(fields) ?? '';
}

function send({ port, agent }: Place, { method, path, headers, body }: Asked): Promise<Answer> {
  const length = body.byteLength > 0 ? { 'content-length': body.byteLength } : {};
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, agent, method, path, headers: { ...headers, ...length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
        response.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

/** The part of the store that requests can change. */
async function traces({ store }: Place): Promise<unknown> {
  const last = await store.ledger.query({}, { limit: 1, order: 'newestFirst' });
  return [last.entries.map(({ id }) => id), await store.registers.list(''), (await store.deadLetters.list(10)).length];
}

/** Source locations of our code or of Node. No response may contain one. */
const INSIDES = /node:internal|\.ts:\d+:\d+|\.js:\d+:\d+|node_modules/;

function check({ status, headers, text }: Answer, { method, path, foreign }: Asked, input: string): void {
  must(status < 500, `answers ${status}: ${text.slice(0, 400)}`, input);
  must(!foreign || status >= 400, `a foreign page is answered ${status}`, input);
  must(!INSIDES.test(text), `exposes internal source locations: ${text.slice(0, 400)}`, input);
  const type = String(headers['content-type'] ?? '');
  must(!type.includes('html'), `answers with ${type}`, input);
  // Node's parser has refused the request before the app received it.
  if (text === '' && (status === 400 || status === 431)) return;
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    must(headers[name] === value, `${name} is ${String(headers[name])}`, input);
  }
  // A method or address that fetch does not support is answered with a fixed line, before the app.
  if (method === 'HEAD' || (status === 400 && type === 'text/plain')) return;
  if (status >= 400) {
    must(type === 'application/problem+json', `an error of type ${type}`, input);
    const problem = SCHEMAS.Problem.parse(JSON.parse(text));
    must(problem.status === status && problem.detail.length > 10, `an error without a message: ${text}`, input);
    return;
  }
  const route = ROUTES.find((each) => each.path === path.split('?')[0] && each.method === method.toLowerCase());
  if (route === undefined || !('schema' in route.answer)) return;
  const answered: unknown = JSON.parse(text);
  const parsed = SCHEMAS[route.answer.schema].safeParse(answered);
  must(parsed.success && isDeepStrictEqual(parsed.data, answered), `undocumented: ${text.slice(0, 400)}`, input);
}

async function ask(place: Place, asked: Asked, input: string): Promise<'accepted' | 'refused'> {
  const before = await traces(place);
  place.logged.length = 0;
  const answer = await send(place, asked);
  must(answer.status < 500, `answers ${answer.status}; the log: ${place.logged.join('; ').slice(0, 1_500)}`, input);
  check(answer, asked, input);
  const commanded = asked.method === 'POST' && answer.status === 200;
  if (!commanded)
    must(isDeepStrictEqual(await traces(place), before), `${answer.status}, but the store changed`, input);
  return answer.status < 400 ? 'accepted' : 'refused';
}

const corpusCase = z.object({ method: z.string(), path: z.string(), body: z.string() });

const paged = z.object({ next: z.string().nullable() });

const PAGED = ['/api/accounts?limit=1', '/api/audit?limit=2', '/api/audit/as-of?at=1h&limit=1', '/api/runs?limit=1'];

/** API requests over the network from any client that can reach the port: none crashes the server, and refused requests have no effect. */
export const apiTarget: Target = {
  name: 'api',
  share: 6,
  open: async () => {
    let place = await openPlace();
    const get = { method: 'GET', headers: {}, body: Buffer.alloc(0), foreign: false };
    const cursors: string[] = [];
    for (const path of PAGED) {
      const { next } = paged.parse(JSON.parse((await send(place, { ...get, path })).text));
      if (next !== null) cursors.push(next);
    }
    place.cursors = cursors;
    let sent = 0;
    const read = (asked: Asked): Read => {
      const input = jsonText({ ...asked, body: Buffer.from(asked.body).toString('latin1') });
      const once = async () => {
        // A fresh store from time to time, because stored commands accumulate.
        sent += 1;
        if (sent % 500 === 0) {
          await place.close();
          place = Object.assign(await openPlace(), { cursors });
        }
        return ask(place, asked, input);
      };
      return take(input, once, () => false);
    };
    return {
      make: (chance) => read(caseOf(place, chance)),
      corpus: jsonCorpusOf('api').map((value) => {
        const { method, path, body } = corpusCase.parse(value);
        return read({ ...get, method, path, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) });
      }),
      close: () => place.close(),
    };
  },
};
