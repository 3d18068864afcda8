import { describe, expect, test } from 'vitest';
import { writeVerifierKey } from '../../../../shared/domain/transparency/verifier-key.ts';
import { account, chainOf, time } from '../../../contract/samples.ts';
import { ORIGIN, TestLog, testKey } from '../../../support/evidence-log.ts';
import { edit, tampered } from '../../../support/tampered-zip.ts';
import { evidence, evidenceSignedWith, failed, stateOf, verified } from './bed.ts';

const RESTORED = 'rollcall/o-test/restored';

async function noteOf(key = testKey(), origin = ORIGIN): Promise<string> {
  const log = new TestLog(key, origin);
  log.append(chainOf(account(1), 410));
  return (await log.publish(time(0))).note;
}

const signatureOf = (note: string): string => note.slice(note.indexOf('\n\n') + 2);

describe('a checkpoint', () => {
  test('with signatures by other keys too is verified by that of the log', async () => {
    const { zip, key } = await evidence();
    const more = signatureOf(await noteOf(testKey(), 'witness.example.com/w1'));
    const forged = tampered(zip, (files) => edit(files, 'log/checkpoint', (text) => text + more));
    expect(stateOf(await verified(forged, key), 'signature')).toMatchObject({ state: 'passed' });
  });

  test('with a signature of the same name by another key is refused', async () => {
    const { zip, key } = await evidence();
    const other = signatureOf(await noteOf());
    const forged = tampered(zip, (files) =>
      edit(files, 'log/checkpoint', (text) => `${text.slice(0, text.indexOf('\n\n') + 2)}${other}`),
    );
    expect(failed(await verified(forged, key))).toContain('log/checkpoint is not signed by this public key');
  });

  test('with the signature of another checkpoint is refused', async () => {
    const made = testKey();
    const { zip, key } = await evidenceSignedWith(made);
    const other = signatureOf(await noteOf(made));
    const forged = tampered(zip, (files) =>
      edit(files, 'log/checkpoint', (text) => `${text.slice(0, text.indexOf('\n\n') + 2)}${other}`),
    );
    expect(failed(await verified(forged, key))).toContain('log/checkpoint was changed after it was signed');
  });

  test('of another log by the same key is refused by the key with its name, and by its root without', async () => {
    const made = testKey();
    const { zip, pem, key } = await evidenceSignedWith(made);
    const note = await noteOf(made, RESTORED);
    const forged = tampered(zip, (files) => edit(files, 'log/checkpoint', () => note));
    expect(failed(await verified(forged, key))).toContain(`log/checkpoint is of the log ${RESTORED}`);
    expect(failed(await verified(forged, pem))).toContain('do not lead to the root of the checkpoint');
  });
});

test.each([
  ['with another hash', (key: string) => key.replace(/\+[0-9a-f]{8}\+/, '+00000000+')],
  ['with another name', (key: string) => key.replace('abcdefgh', 'abcdefgi')],
  ['with other bytes', () => writeVerifierKey(testKey().verifier(ORIGIN))],
  ['of the other type', () => writeVerifierKey(testKey('ecdsa').verifier(ORIGIN))],
  ['that is cut off', (key: string) => key.slice(0, -4)],
  ['twice', (key: string) => `${key}\n${key}`],
])('a key %s is refused', async (_, change) => {
  const { zip, key } = await evidence();
  expect((await verified(zip, change(key))).verdict).toBe('failed');
});
