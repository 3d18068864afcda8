import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as z from 'zod';
import { CHILD_ENV, childFile } from '../../support/children.ts';

const MAIN = childFile('sandbox');
const ENV = { ...process.env, ...CHILD_ENV };
const readySchema = z.strictObject({
  endpoint: z.url(),
  organizationId: z.string().regex(/^o-/),
  managementAccountId: z.string().regex(/^\d{12}$/),
  delegatedAdministratorId: z.string().regex(/^\d{12}$/),
  accounts: z.int(),
  memberRole: z.string(),
});

function start(argument: string, ipc = false): ChildProcess {
  const child = spawn(process.execPath, [MAIN, argument], {
    env: ENV,
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc' as const] : [])],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.slice(0, text.indexOf('\n'));
}

describe('the sandbox in its own process', () => {
  test('prints one line of JSON when ready, serves, and ends on SIGTERM', async () => {
    const child = start(JSON.stringify({ scenario: 'small', port: 0, seed: 5 }));
    const ready = readySchema.parse(JSON.parse(await firstLine(child)));
    expect(ready).toMatchObject({ accounts: 25, memberRole: 'RollcallMember' });
    const response = await fetch(`${ready.endpoint}/_sandbox/info`);
    const { endpoint: _, ...info } = ready;
    expect(await response.json()).toEqual(info);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('ends when its parent closes the IPC channel', async () => {
    const child = start('{"port":0,"accounts":5}', true);
    await firstLine(child);
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('reports that its ready line cannot be written, and exits 1', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [MAIN, '{"port":0,"accounts":5}'], {
      env: ENV,
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(complaint).toMatch(/^sandbox: stdout cannot be written: .*ENOSPC.*\n$/);
  });

  test.each([
    ['{', 'JSON'],
    ['{"scenario":"huge"}', 'scenario'],
    ['{"color":"blue"}', 'color'],
    ['{"port":0,"faults":[{"kind":"throttle","operation":"ListBuckets"}]}', 'ListBuckets'],
  ])('says what is wrong with %s and ends with 1', async (argument, named) => {
    const child = start(argument);
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(complaint).toContain(named);
  });
});
