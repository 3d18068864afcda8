import { expect, test } from 'vitest';
import { organizationCall } from '../../support/cloud-trail-events.ts';
import { ENROLL, ended, place, said, saidBy, start, world } from './support.ts';

/** A daemon that has scanned once, with functions that send it events. */
async function serving() {
  const { env, running } = await world();
  const child = start(['serve', '--port', '0'], { cwd: place({ 'rollcall.yaml': ENROLL }), env });
  const end = ended(child);
  const url = saidBy(child, /API and dashboard at (\S+)/);
  await said(child, 'ended: ');
  const { managementAccountId: account } = running.info;
  const member = running.sandbox.accounts().find(({ management, state }) => !management && state === 'ACTIVE');
  const accountId = member?.accountId ?? '';
  const moved = () => organizationCall('MoveAccount', { accountId }, { account, at: Date.now() });
  const post = async (body: unknown): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(new URL('/api/events', await url), {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return answer.json();
  };
  const stop = async () => {
    child.kill('SIGTERM');
    return end;
  };
  return { running, accountId, moved, post, stop };
}

test('an event about an account is answered after AWS was asked about it', async () => {
  const { running, accountId, moved, post, stop } = await serving();
  expect(await post(moved())).toMatchObject({ refreshed: [accountId], unknown: [] });

  // The answer of AWS, including its kind of error, reaches the thread of the API.
  running.sandbox.setFaults([{ service: 'organizations', kind: 'denied' }]);
  expect(await post(moved())).toMatchObject({ refreshed: [], scan: true });
  running.sandbox.setFaults([]);
  expect(await post(moved())).toMatchObject({ refreshed: [accountId] });
  expect((await stop()).code).toBe(0);
});
