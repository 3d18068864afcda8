import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeVerifierKey } from '../../../../shared/domain/transparency/verifier-key.ts';
import { type Bench, makeBench } from '../../../adapters/embedded/stores.ts';
import { account, chainOf, sealAll, time } from '../../../contract/samples.ts';
import { pack } from '../../../support/evidence-kit.ts';
import { ORIGIN, TestLog, testKey } from '../../../support/evidence-log.ts';
import { edit, tampered } from '../../../support/tampered-zip.ts';
import { history } from '../../app/queries/evidence/history.ts';
import { evidenceSignedWith, PERIOD, stateOf, verified } from './bed.ts';

let bench: Bench;
beforeEach(() => {
  bench = makeBench();
});
afterEach(() => bench.dispose());

const signing = testKey();
const made = () => evidenceSignedWith(signing);

/** A checkpoint by the same key over other entries, or under another name. */
async function another(count: number, origin = ORIGIN): Promise<string> {
  const log = new TestLog(signing, origin);
  log.append(chainOf(account(9), count));
  return (await log.publish(time(20))).note;
}

/** A checkpoint over the first entries of the same log. */
async function prefix(count: number): Promise<string> {
  const log = new TestLog(signing);
  log.append([...history(), ...chainOf(account(7), 400)].slice(0, count));
  return (await log.publish(time(20))).note;
}

describe('a checkpoint that the auditor kept', () => {
  it('is covered by the log, in each form in which it may have been kept', async () => {
    const { zip, key, notes } = await made();
    const [, during = '', newest = ''] = notes;
    const entry = { type: 'CheckpointPublished', detail: { treeHead: { note: during } } };
    const forms = [
      ...[during, newest, during.trim(), `\n${during}`, await prefix(256)],
      ...[
        JSON.stringify({ note: during }),
        JSON.stringify(entry),
        JSON.stringify({ source: 'rollcall', detail: entry }),
      ],
    ];
    for (const kept of forms) {
      const result = await verified(zip, key, kept);
      expect(stateOf(result, 'kept')).toMatchObject({
        state: 'passed',
        message: expect.stringMatching(/^The log still has all [\d,]+ entries/),
      });
      expect(result.verdict).toBe('verified');
    }
    expect(stateOf(await verified(zip, key), 'kept')).toBeUndefined();
  });

  it('fails if the log does not have its entries', async () => {
    const { zip, key } = await made();
    const cases = [
      [await another(3), 'The log does not have the entries that your checkpoint covers: it was rewritten or forked.'],
      [
        await another(3, 'rollcall/o-test/zzzzzzzz'),
        /rewritten or forked\. It belongs to the log rollcall\/o-test\/zzzzzzzz.*restored/,
      ],
      ['nothing', /^Your checkpoint cannot be read: /],
      ['{"note":7}', /^Your checkpoint cannot be read: /],
    ] as const;
    for (const [kept, message] of cases) {
      const result = await verified(zip, key, kept);
      expect(result.verdict).toBe('failed');
      expect(stateOf(result, 'kept')?.message).toEqual(
        typeof message === 'string' ? message : expect.stringMatching(message),
      );
    }
  });

  it('is not comparable with evidence that covers fewer entries, and the page names both explanations', async () => {
    const { zip, key } = await made();
    for (const given of [key, '']) {
      const result = await verified(zip, given, await another(900));
      expect(result.verdict).toBe('notComparable');
      expect(stateOf(result, 'kept')).toMatchObject({
        state: 'notComparable',
        message: expect.stringMatching(
          /covers 900 entries, .* covers only \d+ entries\. Either the evidence was packed before .*, or entries were removed\. Ask for new evidence/,
        ),
      });
    }
    const restored = await verified(zip, key, await another(900, 'rollcall/o-test/zzzzzzzz'));
    expect(restored.verdict).toBe('notComparable');
    expect(stateOf(restored, 'kept')?.message).toContain('It belongs to the log rollcall/o-test/zzzzzzzz');
  });

  it('fails, however many entries it covers, if another check fails or the key did not sign it', async () => {
    const { zip, key } = await made();
    const newer = await another(900);
    const damaged = tampered(zip, (files) => edit(files, 'entries.ndjson', (text) => text.replace('alice', 'mallory')));
    expect((await verified(damaged, key, newer)).verdict).toBe('failed');
    const larger = newer.replace('\n900\n', '\n901\n');
    expect(larger).not.toBe(newer);
    expect((await verified(zip, key, larger)).verdict).toBe('failed');
  });

  it('needs the signature of the same key', async () => {
    const { zip, key, notes } = await made();
    const [, during = ''] = notes;
    const changed = await verified(zip, key, during.replace(/\n(\d+)\n/, '\n1\n'));
    expect(stateOf(changed, 'kept')?.message).toMatch(/^Your checkpoint was changed after it was signed/);
    const other = new TestLog(testKey());
    const foreign = (await other.publish(time(0))).note;
    expect(stateOf(await verified(zip, key, foreign), 'kept')?.message).toContain(
      'Your checkpoint is not signed by this public key',
    );
    expect(writeVerifierKey(signing.verifier(ORIGIN))).toBe(key);
  });

  it('is not compared if the ZIP file lacks that part of the log', async () => {
    const older = sealAll(
      account(6),
      Array.from({ length: 600 }, () => ({ at: time(-1_000) })),
    );
    const store = await bench.open();
    await store.ledger.append([...older, ...history()]);
    const log = new TestLog(signing);
    log.append(older.slice(0, 300));
    const { note } = await log.publish(time(-900));
    log.append(older.slice(300));
    await log.publish(time(-500));
    log.append(history());
    await log.publish(PERIOD.until);
    const key = signing.verifier(ORIGIN);
    const { zip } = await pack(store, { ...PERIOD, log, key });
    const result = await verified(zip, writeVerifierKey(key), note);
    expect(stateOf(result, 'kept')).toMatchObject({
      state: 'limited',
      message: expect.stringContaining(
        'not have enough of the log to compare it with your checkpoint of 300 entries. Ask for',
      ),
    });
    expect(result.verdict).toBe('partly');
  });
});
