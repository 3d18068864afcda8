import { createServer, request } from 'node:http';
import { expect, test } from 'vitest';
import { portOf } from '../../support/local-server.ts';
import { applyShape, explainShape, planShape } from './shapes.ts';
import { json, place, rollcall, type World, world } from './support.ts';

/** A server in front of the sandbox that changes each response. @returns its URL */
async function rewriting(organization: World, rewrite: (body: string) => string): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url = '/' } = incoming;
    const onward = request(new URL(url, organization.running.endpoint), { method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const body = Buffer.from(rewrite(Buffer.concat(chunks).toString()));
        outgoing.writeHead(answer.statusCode ?? 500, { ...answer.headers, 'content-length': body.length });
        outgoing.end(body);
      });
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  return `http://127.0.0.1:${await portOf(server)}`;
}

const policy = (match: string) => `version: 1
defaults: { computeOptimizer: Active }
rules: [{ id: slash, match: { ou: ${match} }, computeOptimizer: unmanaged }]
guardrails: { maxChanges: { percent: 100, atLeast: 10 }, minCoverage: 80 }
limits: { callsPerSecond: 500, concurrency: 8 }
`;

test('plan, apply, explain and init escape the slash in the name of an OU', async () => {
  const organization = await world({ accounts: 25, drift: 1 });
  const members = organization.running.sandbox.accounts().filter(({ state, management }) => {
    return state === 'ACTIVE' && !management;
  });
  const [top = ''] = members.map(({ ou }) => ou.split('/')[1] ?? '').filter((name) => name !== '');
  const inside = members
    .filter(({ ou }) => ou === `/${top}` || ou.startsWith(`/${top}/`))
    .map((each) => each.accountId);
  const endpoint = await rewriting(organization, (body) => body.replaceAll(`"Name":"${top}"`, `"Name":"${top}/East"`));
  const env = { ...organization.env, AWS_ENDPOINT_URL: endpoint };
  const call = (cwd: string, ...args: string[]) => rollcall([...args, '--json'], { cwd, env });
  const planned = async (match: string) => {
    const result = await call(place({ 'rollcall.yaml': policy(match) }), 'plan');
    return planShape.parse(json(result)).changes.map(({ accountId }) => accountId);
  };
  expect(await planned(`/${top}/East`)).toEqual(expect.arrayContaining(inside));

  const cwd = place({ 'rollcall.yaml': policy(`/${top}%2FEast`) });
  const plan = planShape.parse(json(await call(cwd, 'plan')));
  expect(plan.changes.filter(({ accountId }) => inside.includes(accountId))).toEqual([]);
  const applied = await call(cwd, 'apply', '--yes');
  expect(applied.code, applied.stderr).toBe(0);
  expect(applyShape.parse(json(applied)).open).toEqual([]);
  const after = organization.running.sandbox.accounts();
  for (const { accountId, computeOptimizer } of after.filter((each) => inside.includes(each.accountId)))
    expect([accountId, computeOptimizer.status]).toEqual([accountId, 'Inactive']);
  const explained = explainShape.parse(json(await call(cwd, 'policy', 'explain', inside[0] ?? '')));
  expect(explained.account.ou).toMatch(new RegExp(`^/${top}%2FEast(/|$)`));
  const written = await rollcall(['policy', 'init', '--out', '-'], { cwd, env });
  expect(written.stdout).toContain(`/${top}%2FEast`);
  expect(written.stdout).not.toContain(`/${top}/East`);
});

test('an account in an unknown state has the status Unknown; the others are enrolled', async () => {
  const organization = await world({ accounts: 25, drift: 1 });
  const { sandbox } = organization.running;
  const active = sandbox.accounts().filter(({ state, management }) => state === 'ACTIVE' && !management);
  const strange = active[3]?.accountId ?? '';
  const endpoint = await rewriting(organization, (body) => {
    if (!body.includes('"Accounts"')) return body;
    return body.replaceAll(/\{[^{}]*\}/g, (account) =>
      account.includes(`"Id":"${strange}"`) ? account.replace('"State":"ACTIVE"', '"State":"DREAMING"') : account,
    );
  });
  const cwd = place({ 'rollcall.yaml': policy('/Nowhere') });
  const env = { ...organization.env, AWS_ENDPOINT_URL: endpoint };
  const call = (...args: string[]) => rollcall([...args, '--json'], { cwd, env });
  const result = await call('plan');
  const plan = planShape.parse(json(result));
  expect(result.stderr).toContain(`account ${strange}`);
  expect(plan.summary.computeOptimizer['Unknown']).toBe(1);
  const listed = plan.changes.filter(({ accountId }) => accountId === strange);
  expect(listed.map(({ verdict, reason, action }) => [verdict, reason, action])).toEqual([
    ['Unknown', 'unknownState', 'none'],
  ]);
  expect((await call('apply', '--yes')).code).toBe(3);
  const off = sandbox.accounts().filter(({ state, computeOptimizer }) => {
    return state === 'ACTIVE' && computeOptimizer.status !== 'Active';
  });
  expect(off.map(({ accountId }) => accountId)).toEqual([strange]);
});

test('a name that several accounts have is refused, with their ids', async () => {
  const organization = await world({ accounts: 12, drift: 0 });
  const [first, second] = organization.running.sandbox.accounts();
  if (first === undefined || second === undefined) throw new Error('no accounts');
  const endpoint = await rewriting(organization, (body) =>
    body.replaceAll(`"Name":"${second.name}"`, `"Name":"${first.name}"`),
  );
  const cwd = place({ 'rollcall.yaml': policy('/Nowhere') });
  const scanned = await rollcall(['scan'], { cwd, env: { ...organization.env, AWS_ENDPOINT_URL: endpoint } });
  expect([0, 2], scanned.stderr).toContain(scanned.code);
  const { code, stderr } = await rollcall(['account', first.name], { cwd });
  expect(code).toBe(1);
  expect(stderr).toContain(`account "${first.name}": 2 accounts have this name`);
  for (const { accountId } of [first, second]) expect(stderr).toContain(accountId);
});
