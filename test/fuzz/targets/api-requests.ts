import type { Route } from '../../../services/api/route.ts';
import { ROUTES } from '../../../services/api/routes.ts';
import { account, time } from '../../contract/samples.ts';
import { optedOut, organizationCall } from '../../support/cloud-trail-events.ts';
import { MANUAL_CLOCK_START } from '../../support/manual-clock.ts';
import type { Chance } from '../chance.ts';
import { anyJson, jsonText, mutateBytes, mutateJson, mutateTexts } from '../mutate.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The request comes from a page of another origin and must be refused. */
  readonly foreign: boolean;
}

/** Values for each part of a query. The cursors come from earlier pages. */
const QUERY: Readonly<Record<string, readonly [string, ...string[]]>> = {
  account: [account(1), account(9)],
  actor: ['rollcall', 'user:nobody'],
  at: ['24h', '2026-11-02', time(5_000)],
  enrollment: ['computeOptimizer', 'automation'],
  facets: ['true', 'false'],
  format: ['json', 'csv', 'ndjson', 'ocsf'],
  interval: ['1d', '1h'],
  limit: ['1', '3', '1000'],
  order: ['newestFirst', 'oldestFirst', 'asc', 'desc'],
  ou: ['/', '/Workloads', '/Workloads/Prod'],
  reason: ['window', '=cmd|1!A0'],
  rule: ['production', '<b>'],
  run: ['run-1', 'run-2'],
  since: ['30d', '2026-10-01', time(0)],
  sort: ['accountId', 'name', 'ou', 'since'],
  text: ['account', '100000000001'],
  top: ['1', '10'],
  type: ['DriftDetected', 'ScanStarted', 'AccountSuspended'],
  until: [time(60_000), '2026-12-01'],
  verdict: ['Drifted', 'Compliant'],
};

const BODIES: Readonly<Record<string, readonly [unknown, ...unknown[]]>> = {
  suspend: [
    { selector: `${account(1)},${account(2)}`, reason: 'migration', until: '2h' },
    { selector: 'ou:/Workloads', until: null },
    { selector: 'tag:env=prod' },
    { selector: 'name:account*' },
    { selector: 'all' },
  ],
  resume: [{ selector: 'all' }, { selector: account(1) }, { selector: 'ou:/Workloads' }],
  approve: [{ planHash: 'a'.repeat(64), reason: 'adoption' }],
  redrive: [{ ids: ['1', '2'] }],
  react: [
    optedOut(account(2), MANUAL_CLOCK_START),
    organizationCall('MoveAccount', { accountId: account(3) }, { account: account(1), at: MANUAL_CLOCK_START }),
  ],
};

const HOSTILE_HEADERS: readonly [readonly [string, string], ...(readonly [string, string])[]] = [
  ['host', 'evil.example'],
  ['host', '127.0.0.1.evil.example'],
  ['origin', 'https://evil.example'],
  ['origin', 'null'],
  ['sec-fetch-site', 'cross-site'],
  ['sec-fetch-site', 'same-site'],
];

const ODD_HEADERS: readonly [readonly [string, string], ...(readonly [string, string])[]] = [
  ['authorization', `Bearer ${'x'.repeat(40)}`],
  ['last-event-id', 'not-an-id'],
  ['if-none-match', '"a", W/"b"'],
  ['accept-encoding', 'br;q=0, *'],
  ['content-type', 'text/plain'],
  ['content-type', 'application/json; charset=utf-16'],
  ['x-forwarded-host', '127.0.0.1'],
  ['x-http-method-override', 'POST'],
];

function queryOf(route: Route, cursors: readonly string[], chance: Chance): string {
  const search = new URLSearchParams();
  for (const name of Object.keys(route.query.shape)) {
    if (!chance.oneIn(3)) continue;
    const own = QUERY[name] ?? ['x'];
    const value = name === 'cursor' ? (cursors[chance.below(cursors.length)] ?? 'x') : chance.pick(own);
    search.append(name, chance.oneIn(6) ? mutateTexts(value, chance) : value);
    if (chance.oneIn(20)) search.append(name, value);
  }
  if (chance.oneIn(30)) search.append(chance.pick(['__proto__', 'constructor', 'limit', 'x']), '1');
  return search.size === 0 ? '' : `?${search}`;
}

function pathOf(route: Route, entryIds: readonly string[], chance: Chance): string {
  return route.path.replaceAll(/\{\w+\}/g, () => {
    const ids = [account(1), account(77), 'run-1', '1', entryIds[chance.below(entryIds.length)] ?? '', '../../policy'];
    const id = ids[chance.below(ids.length)] ?? '';
    return encodeURIComponent((chance.oneIn(4) ? mutateTexts(id, chance) : id).toWellFormed());
  });
}

/** Only values that Node's own client can send, because Node's parser refuses the others. */
const sendable = (text: string, not: RegExp): string => text.replaceAll(not, '');

export function caseOf(
  place: { readonly cursors: readonly string[]; readonly entryIds: readonly string[] },
  chance: Chance,
): Asked {
  const route = ROUTES[chance.below(ROUTES.length)];
  if (route === undefined) throw new Error('there are routes');
  const whole = `${pathOf(route, place.entryIds, chance)}${queryOf(route, place.cursors, chance)}`;
  const path = chance.oneIn(12) ? `/${sendable(mutateTexts(whole.slice(1), chance), /[^\x21-\xff]/g)}` : whole;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  const foreign = chance.oneIn(10);
  for (const list of [...(foreign ? [HOSTILE_HEADERS] : []), ...(chance.oneIn(6) ? [ODD_HEADERS] : [])]) {
    const [name, value] = chance.pick(list);
    headers[name] =
      list === ODD_HEADERS && chance.oneIn(2)
        ? sendable(mutateTexts(value, chance), /[^\t\x20-\x7e\x80-\xff]/g)
        : value;
  }
  const valid = chance.pick(BODIES[route.operationId] ?? [{}, { reason: 'incident 7' }]);
  const json = chance.oneIn(3) ? valid : chance.oneIn(20) ? anyJson(chance) : mutateJson(valid, chance);
  const text = Buffer.from(jsonText(json));
  const body = route.method === 'get' ? Buffer.alloc(0) : chance.oneIn(8) ? mutateBytes(text, chance) : text;
  const method = chance.oneIn(25) ? chance.pick(['PUT', 'DELETE', 'OPTIONS', 'HEAD', 'POST', 'GET']) : route.method;
  return { method: method.toUpperCase(), path, headers, body, foreign };
}
