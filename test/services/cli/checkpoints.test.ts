import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import * as z from 'zod';
import { createKeyFile } from '../../../shared/adapters/system/new-key-file.ts';
import { checkpointInNote, openCheckpoint } from '../../../shared/domain/transparency/checkpoint.ts';
import { noteVerifier } from '../../../shared/domain/transparency/note-verifier.ts';
import { verifierKey, writeVerifierKey } from '../../../shared/domain/transparency/verifier-key.ts';
import { startWitness } from '../../support/witness.ts';
import { auditShape } from './audit-shapes.ts';
import { EVERYTHING_ON, ended, json, place, rollcall, saidBy, start, world } from './support.ts';

const published = z.object({ treeHead: z.object({ note: z.string(), witnesses: z.array(z.string()) }) });

async function checkpointsIn(cwd: string): Promise<readonly z.infer<typeof published>['treeHead'][]> {
  const listed = await rollcall(['audit', 'list', '--type', 'CheckpointPublished', '--json'], { cwd });
  return auditShape.parse(json(listed)).entries.map(({ detail }) => published.parse(detail).treeHead);
}

async function newestTypes(cwd: string, limit: number): Promise<readonly string[]> {
  const listed = await rollcall(['audit', 'list', '--limit', String(limit), '--json'], { cwd });
  return auditShape.parse(json(listed)).entries.map(({ type }) => type);
}

describe('checkpoints', () => {
  test('apply signs one at its end with the key file, and a witness cosigns it', async () => {
    const { env } = await world({ accounts: 8, drift: 0.5 });
    const cwd = place({ 'rollcall.yaml': EVERYTHING_ON });
    const publicKey = await createKeyFile(join(cwd, 'key.pem'));
    const keyOf = (name: string) => verifierKey({ name, ...publicKey });
    const witness = await startWitness({
      ...{ name: 'witness.example/w1', now: () => 1_793_610_000 },
      logs: (origin) => [keyOf(origin)],
    });
    onTestFinished(() => witness.close());
    const own = {
      ...env,
      ROLLCALL_CHECKPOINT_KEY: 'key.pem',
      ROLLCALL_CHECKPOINT_WITNESSES: `${writeVerifierKey(witness.key)}@${witness.url}`,
    };
    expect((await rollcall(['apply', '--yes'], { cwd, env: own })).code).toBe(0);
    const [checkpoint] = await checkpointsIn(cwd);
    if (checkpoint === undefined) return expect.fail('no checkpoint');
    const { origin } = checkpointInNote(checkpoint.note);
    const trust = { origin, log: [noteVerifier(keyOf(origin))], witnesses: [noteVerifier(witness.key)], quorum: 1 };
    const opened = openCheckpoint(checkpoint.note, trust);
    expect(opened.size).toBeGreaterThan(8);
    expect(checkpoint.witnesses).toEqual(['witness.example/w1']);
    expect(witness.signed.get(origin)?.size).toBe(opened.size);
  });

  test('serve stops in time and without an error if the key service does not answer', async () => {
    const { env } = await world({ accounts: 4, drift: 0 });
    const cwd = place({ 'rollcall.yaml': EVERYTHING_ON });
    const silent = createServer((socket) => void socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const address = silent.address();
    if (address === null || typeof address === 'string') return expect.fail('no port');
    const own = {
      ...env,
      ROLLCALL_CHECKPOINT_KEY: 'awskms:1234abcd-12ab-34cd-56ef-1234567890ab',
      AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${address.port}`,
    };
    const child = start(['serve', '--port', '0', '--verbose'], { cwd, env: own });
    const end = ended(child);
    await saidBy(child, /scan \S+ (ended)/);
    expect((await rollcall(['halt', '--reason', 'test'], { cwd, env })).code).toBe(0);
    const begun = performance.now();
    child.kill('SIGTERM');
    const { code, stderr } = await end;
    expect(code).toBe(0);
    expect(performance.now() - begun).toBeLessThan(24_000);
    expect(stderr).toContain('the last checkpoint could not be signed in time');
    expect(stderr).not.toContain('defect');
  });

  test('serve signs one when it stops, if the log has grown since the last one', async () => {
    const { env } = await world({ accounts: 4, drift: 0 });
    const cwd = place({ 'rollcall.yaml': EVERYTHING_ON });
    await createKeyFile(join(cwd, 'key.pem'));
    const own = { ...env, ROLLCALL_CHECKPOINT_KEY: 'key.pem' };
    const serve = async (meanwhile: () => Promise<unknown>) => {
      const child = start(['serve', '--port', '0', '--verbose'], { cwd, env: own });
      const end = ended(child);
      await saidBy(child, /(serving) o-/);
      await meanwhile();
      child.kill('SIGTERM');
      expect((await end).code).toBe(0);
    };
    await serve(async () => {
      await vi.waitFor(async () => expect(await checkpointsIn(cwd)).toHaveLength(1), {
        timeout: 30_000,
        interval: 250,
      });
      expect((await rollcall(['halt', '--reason', 'test'], { cwd, env })).code).toBe(0);
    });
    expect(await newestTypes(cwd, 2)).toEqual(['CheckpointPublished', 'EnforcementHalted']);
    await serve(async () => undefined);
    expect(await checkpointsIn(cwd)).toHaveLength(2);
  });

  test('without a key, nothing is signed', async () => {
    const { env } = await world({ accounts: 4, drift: 0.5 });
    const cwd = place({ 'rollcall.yaml': EVERYTHING_ON });
    expect((await rollcall(['apply', '--yes'], { cwd, env })).code).toBe(0);
    expect(await checkpointsIn(cwd)).toEqual([]);
  });

  test('a key file that others can read is not used, and the work is done all the same', async () => {
    const { env } = await world({ accounts: 4, drift: 0.5 });
    const cwd = place({ 'rollcall.yaml': EVERYTHING_ON });
    await createKeyFile(join(cwd, 'key.pem'));
    chmodSync(join(cwd, 'key.pem'), 0o644);
    const own = { ...env, ROLLCALL_CHECKPOINT_KEY: 'key.pem' };
    const { code, stderr } = await rollcall(['apply', '--yes'], { cwd, env: own });
    expect(code).toBe(0);
    expect(stderr).toContain(
      'no checkpoint was signed, because the key cannot be used: checkpoint key key.pem: its permissions are 0644',
    );
    expect(stderr).toContain('Run: chmod 600 key.pem.');
    expect(await checkpointsIn(cwd)).toEqual([]);
  });

  test.each([
    ['ROLLCALL_CHECKPOINT_KEY', { ROLLCALL_CHECKPOINT_KEY: 'arn:aws:kms:eu-central-1:111122223333:key/x' }],
    ['ROLLCALL_CHECKPOINT_ARCHIVE', { ROLLCALL_CHECKPOINT_KEY: 'key.pem', ROLLCALL_CHECKPOINT_ARCHIVE: 'bucket' }],
    ['ROLLCALL_CHECKPOINT_WITNESSES', { ROLLCALL_CHECKPOINT_KEY: 'key.pem', ROLLCALL_CHECKPOINT_WITNESSES: 'w' }],
  ])('a wrong %s is an error that names it, before anything is changed', async (name, wrong) => {
    const { env, running } = await world({ accounts: 4, drift: 0.5 });
    const cwd = place({ 'rollcall.yaml': EVERYTHING_ON });
    for (const command of [['apply', '--yes'], ['scan'], ['serve', '--port', '0']]) {
      const { code, stderr } = await rollcall(command, { cwd, env: { ...env, ...wrong } });
      expect([command[0], code]).toEqual([command[0], 1]);
      expect(stderr).toContain(`${name} is `);
    }
    expect(running.sandbox.accounts().some(({ computeOptimizer }) => computeOptimizer.status === 'Inactive')).toBe(
      true,
    );
  });
});
