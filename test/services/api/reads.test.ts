import { describe, expect, onTestFinished, test } from 'vitest';
import { events } from '../../../services/api/live/events.ts';
import { SCHEMAS } from '../../../services/api/schemas.ts';
import { openStore } from '../../../shared/compose/stores/open-embedded.ts';
import { toIso } from '../../../shared/domain/time.ts';
import { account, range, sealAll } from '../../contract/samples.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { startWorld } from '../../support/world.ts';
import { put, unit } from '../sandbox/configuration-calls.ts';
import { api } from './support.ts';

const MARKUP = '<img src=x onerror=alert(1)>';

/** An organization after one run; the name of one account is markup. */
async function afterOneRun() {
  const world = await startWorld({ sandbox: { accounts: 20, drift: 0.5, seed: 3 } });
  const [odd = ''] = world.sandbox.changeAccounts({ add: [{ name: MARKUP, ou: '/Sandbox' }] });
  const run = await world.run();
  const store = await openStore({ dataDir: world.dataDir, clock: world.clock, readOnly: false });
  onTestFinished(() => store.close());
  return { own: await api({ store, clock: world.clock }), odd, run };
}

describe('reads', () => {
  test('every answer has the documented shape, and text from AWS is returned as data', async () => {
    const { own, odd } = await afterOneRun();
    const { get } = own;
    const status = await get('/api/status', SCHEMAS.Status);
    expect(status.lastScan.completedAt).not.toBeNull();
    await get('/api/limiter', SCHEMAS.Limiter);
    await get('/api/queue', SCHEMAS.Queue);
    await get('/api/dead-letters', SCHEMAS.DeadLetters);
    await get('/api/policy', SCHEMAS.Policy);
    await get(`/api/policy/explain/${odd}`, SCHEMAS.Explanation);
    expect(await get('/api/audit/as-of?at=2026-01-01', SCHEMAS.AsOf)).toMatchObject({ future: false, total: 0 });
    // The future is unknown, so the answer says that it shows the present.
    const ahead = await get('/api/audit/as-of?at=2999-01-01', SCHEMAS.AsOf);
    expect(ahead).toMatchObject({ future: true, at: '2999-01-01T00:00:00.000Z' });
    expect(ahead.total).toBeGreaterThan(0);
    await get('/api/audit/report?since=1d', SCHEMAS.Report);
    const account = await get(`/api/accounts/${odd}`, SCHEMAS.Account);
    expect(account.account?.name).toBe(MARKUP);
    const [entry] = account.timeline;
    expect((await get(`/api/audit/entries/${entry?.id}`, SCHEMAS.ShownEntry)).verification.ok).toBe(true);
    const { runs } = await get('/api/runs', SCHEMAS.Runs);
    const detail = await get(`/api/runs/${runs[0]?.runId}`, SCHEMAS.RunDetail);
    expect(detail.plan.changes.length).toBeGreaterThan(0);
    expect(detail.plan.changes.every(({ outcome }) => outcome === 'succeeded')).toBe(true);
    for (const format of ['json', 'csv', 'ndjson', 'ocsf']) {
      const { status: code, headers, json } = await own.send(`/api/audit/export?format=${format}`);
      if (format === 'json') expect(SCHEMAS.AuditExport.parse(json).entries.length).toBeGreaterThan(0);
      expect(code).toBe(200);
      expect(headers['content-disposition']).toContain('attachment');
    }
  });

  test('an explanation names the configuration that determines the rule mode, also in the account view', async () => {
    const sandbox = { accounts: 20, configurationDelayMs: 0 };
    const world = await startWorld({ sandbox, policy: { automation: 'Active' } });
    await put(world.running, unit(world.running, 'Workloads'), 'NoneAllowed');
    await world.run();
    const store = await openStore({ dataDir: world.dataDir, clock: world.clock, readOnly: false });
    onTestFinished(() => store.close());
    const { get } = await api({ store, clock: world.clock });
    const under = world.member(({ ou }) => ou.startsWith('/Workloads')).accountId;
    const other = world.member(({ ou }) => !ou.startsWith('/Workloads')).accountId;
    const expected = /^NoneAllowed, set by the organization enrollment configuration on OU \/Workloads \(ou-/;
    const explained = await get(`/api/policy/explain/${under}`, SCHEMAS.Explanation);
    expect(explained.ruleModeSource).toMatch(expected);
    const account = await get(`/api/accounts/${under}`, SCHEMAS.Account);
    expect(account.explanation?.ruleModeSource).toBe(explained.ruleModeSource);
    expect((await get(`/api/policy/explain/${other}`, SCHEMAS.Explanation)).ruleModeSource).toBeNull();
  });

  test('accounts: a CSV file has the accounts of the list with the same filters, in the same order', async () => {
    const { own } = await afterOneRun();
    const filter = 'sort=severity&enrollment=computeOptimizer&accountStatus=Compliant';
    const { accounts, counts } = await own.get(`/api/accounts?limit=1000&${filter}`, SCHEMAS.Accounts);
    expect(accounts.length).toBe(counts.Compliant);
    const { text, headers } = await own.send(`/api/accounts/export?${filter}`);
    expect(headers['content-disposition']).toMatch(/^attachment; filename="rollcall-accounts-\d{4}-\d\d-\d\d\.csv"$/);
    const [header = '', ...lines] = text.trimEnd().split('\r\n');
    expect(header).toMatch(/^accountId,name,ou,state,status,since,computeOptimizerStatus,computeOptimizerReason,/);
    expect(lines.map((line) => line.slice(0, 12))).toEqual(accounts.map(({ accountId }) => accountId));
  });

  test('accounts: pages of any size list each matching account once and in order, and a cursor works only for its own query', async () => {
    const { own, odd } = await afterOneRun();
    const all = await own.get('/api/accounts?limit=1000&sort=name&order=desc&facets=true', SCHEMAS.Accounts);
    expect(all).toMatchObject({ total: all.all, next: null });
    const paged: string[] = [];
    let next: string | null = null;
    do {
      const cursor: string = next === null ? '' : `&cursor=${next}`;
      const page = await own.get(`/api/accounts?limit=3&sort=name&order=desc${cursor}`, SCHEMAS.Accounts);
      paged.push(...page.accounts.map(({ accountId }) => accountId));
      next = page.next;
      if (next !== null) {
        expect((await own.send(`/api/accounts?limit=3&sort=ou&cursor=${next}`)).json).toMatchObject({
          code: 'BadCursor',
        });
      }
    } while (next !== null);
    expect(paged).toEqual(all.accounts.map(({ accountId }) => accountId));
    const last = await own.get('/api/accounts?limit=3&sort=name&order=desc&offset=17', SCHEMAS.Accounts);
    expect(last.accounts).toEqual(all.accounts.slice(17, 20));
    const found = await own.get(`/api/accounts?text=${encodeURIComponent('<IMG')}`, SCHEMAS.Accounts);
    expect(found.accounts.map(({ accountId }) => accountId)).toEqual([odd]);
    const sandbox = await own.get(
      '/api/accounts?ou=/Sandbox&verdict=Compliant&verdict=Drifted&limit=1000',
      SCHEMAS.Accounts,
    );
    expect(sandbox.accounts.every(({ ou }) => ou.startsWith('/Sandbox'))).toBe(true);
    expect((await own.get('/api/accounts?reason=nonsense', SCHEMAS.Accounts)).total).toBe(0);

    // For an account that has left the organization only the id is known, so its name, OU and tags match nothing.
    await own.system.stores.snapshots.remove([odd]);
    const suspension = async () => (await own.get(`/api/accounts/${odd}`, SCHEMAS.Account)).suspension;
    for (const selector of ['name:*', 'ou:/', 'tag:env=dev']) {
      expect((await own.post('/api/suspend', { selector })).status, selector).toBe(200);
      expect(await suspension(), selector).toBeNull();
    }
    await own.post('/api/suspend', { selector: 'all', until: '1h' });
    expect((await suspension())?.message).toContain('(all)');
    await own.post('/api/suspend', { selector: odd, reason: 'closed soon' });
    expect(await suspension()).toMatchObject({ message: expect.stringContaining('closed soon'), until: null });
  });

  test.each([
    ['/api/accounts/999999999999', 404, 'AccountUnknown'],
    ['/api/accounts/nobody', 400, 'BadRequest'],
    ['/api/runs/none', 404, 'RunUnknown'],
    ['/api/audit/entries/none', 404, 'EntryUnknown'],
    ['/api/dead-letters/none', 404, 'DeadLetterUnknown'],
    ['/api/audit?cursor=nonsense', 400, 'BadCursor'],
    ['/api/runs?cursor=nonsense', 400, 'BadCursor'],
    ['/api/accounts?cursor=WyJhIl0', 400, 'BadCursor'],
    ['/api/audit?since=2026-02-02&until=2026-02-01', 400, 'ImpossibleRange'],
    ['/api/audit/export?since=1d&until=1d', 400, 'ImpossibleRange'],
    ['/api/audit/report?since=2020-01-01&interval=1ms', 400, 'ImpossibleRange'],
    ['/api/audit?since=2026-02-30', 400, 'BadRequest'],
    ['/api/audit?limit=0', 400, 'BadRequest'],
    ['/api/audit?limit=1&limit=2', 400, 'BadRequest'],
    ['/api/audit?limits=1', 400, 'BadRequest'],
    ['/api/accounts?verdict=Fine', 400, 'BadRequest'],
    ['/api/accounts?offset=2&cursor=WyJhIl0', 400, 'BadRequest'],
    ['/api/accounts/export?limit=2', 400, 'BadRequest'],
  ])('%s is answered %i %s', async (path, status, code) => {
    const own = await api();
    const answer = await own.send(path);
    expect(answer.json, answer.text).toMatchObject({ status, code, type: `urn:rollcall:problem:${code}` });
    expect(answer.headers['content-type']).toBe('application/problem+json');
    // The word for users is audit log.
    expect(answer.text).not.toContain('ledger');
  });
});

describe('events', () => {
  test('a reader that reconnects with its last id gets the missed entries, and an unknown id gets a gap', async () => {
    const { own } = await afterOneRun();
    const { entries } = await own.get('/api/audit?limit=5', SCHEMAS.AuditPage);
    const from = entries.at(-1);
    const read = async (lastEventId: string, until: string): Promise<string> => {
      const stop = new AbortController();
      const headers = { 'last-event-id': lastEventId };
      const response = await fetch(`${own.door.url}api/events`, { headers, signal: stop.signal });
      let text = '';
      const decoder = new TextDecoder();
      for await (const part of response.body ?? []) {
        text += decoder.decode(part, { stream: true });
        if (text.includes(until)) break;
      }
      stop.abort();
      return text;
    };
    const missed = await read(`${from?.at}_${from?.id}`, entries[0]?.id ?? '?');
    for (const { id } of entries.slice(0, -1)) expect(missed.split(`"id":"${id}"`)).toHaveLength(2);
    expect(missed).toContain('event: progress\n');
    expect(await read('nonsense', 'event: gap')).toContain('event: gap');
  });

  test('more new entries than the maximum cause a gap, and later entries are sent', async () => {
    const clock = manualClock();
    const { system } = await api({ clock });
    const append = (chain: string, length: number) => {
      const at = toIso(clock.now());
      return system.stores.ledger.append(
        sealAll(
          chain,
          range(length).map(() => ({ at })),
        ),
      );
    };
    await append(account(1), 1_001);
    const stop = new AbortController();
    const reading = events(system, { lastEventId: null, signal: stop.signal, lasting: true });
    const next = async (): Promise<string> => {
      let waiting = true;
      const pulled = reading.next().finally(() => {
        waiting = false;
      });
      while (waiting) await clock.advance(100);
      const { done, value } = await pulled;
      return done === true ? expect.fail('the stream has ended') : value;
    };
    const until = async (what: string): Promise<string> => {
      for (let text = await next(); ; text = await next()) if (text.includes(what)) return text;
    };
    const gap = await until('event: gap');
    await append(account(2), 1);
    expect(await until('event: entry')).toContain(`"chain":"${account(2)}"`);
    stop.abort();
    await reading.return(undefined);

    // In Lambda each answer ends: a reader that has received the gap does not receive it again.
    const [, lastEventId = ''] = /^id: (.*)$/m.exec(gap) ?? [];
    await clock.advance(10_000);
    let later = '';
    for await (const text of events(system, { lastEventId, signal: stop.signal, lasting: false })) later += text;
    expect(later).not.toContain('event: gap');
  });

  test('entries that are new together are sent in few parts, each once and in order', async () => {
    const clock = manualClock();
    const { system } = await api({ clock });
    const at = toIso(clock.now());
    const entries = sealAll(
      account(1),
      range(400).map(() => ({ at })),
    );
    await system.stores.ledger.append(entries);
    const parts: string[] = [];
    const reading = events(system, { lastEventId: null, signal: new AbortController().signal, lasting: false });
    for await (const part of reading) parts.push(part);
    const sent = [...parts.join('').matchAll(/^event: entry\ndata: .*"seq":(\d+)/gm)].map(([, seq]) => Number(seq));
    expect(sent).toEqual(entries.map(({ seq }) => seq));
    // The delay before a reconnection, the progress, and the entries in parts of 64 kB.
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    expect(parts.length).toBeLessThanOrEqual(2 + Math.ceil(length / 65_536));
    expect(Math.max(...parts.map((part) => part.length))).toBeLessThan(2 * 65_536);
  });
});
