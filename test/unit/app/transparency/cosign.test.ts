import { describe, expect, it, onTestFinished } from 'vitest';
import { witnessClient } from '../../../../shared/adapters/system/witness-client.ts';
import { logStatus } from '../../../../shared/app/transparency/checkpoint-state.ts';
import type { KnownWitness } from '../../../../shared/app/transparency/checkpointing.ts';
import { cosigned } from '../../../../shared/app/transparency/cosign.ts';
import { logReader } from '../../../../shared/app/transparency/log-reader.ts';
import { signedCheckpoint } from '../../../../shared/app/transparency/sign-checkpoint.ts';
import { openCheckpoint } from '../../../../shared/domain/transparency/checkpoint.ts';
import { noteVerifier } from '../../../../shared/domain/transparency/note-verifier.ts';
import { rootOf } from '../../../../shared/domain/transparency/tree.ts';
import type { Logger } from '../../../../shared/ports/system.ts';
import { account } from '../../../contract/samples.ts';
import { misbehaving, startWitness } from '../../../support/witness.ts';
import { keyNamed, memorySigner } from './checkpoint-parts.ts';
import { type LogBed, logBed } from './log-bed.ts';

const ORIGIN = 'rollcall/o-7f3a9c2e1d/k3x9q0ab';
const LOG_KEY = keyNamed(ORIGIN);
const A = account(1);

async function witnessBed(...names: readonly [string, ...string[]]) {
  const bed = logBed();
  const servers = await Promise.all(
    names.map((name) => startWitness({ name, logs: [LOG_KEY], now: () => 1_793_610_000 })),
  );
  onTestFinished(() => servers.forEach((server) => void server.close()));
  const witnesses: readonly KnownWitness[] = servers.map(({ key, url }) => ({
    witness: witnessClient({ name: key.name, url, timeoutMs: 300 }),
    key,
  }));
  const warned: string[] = [];
  const silent = () => undefined;
  const warn = (message: string, fields = {}) => void warned.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: silent, info: silent, warn, error: silent };
  return { bed, servers, witnesses, warned, deps: { registers: bed.stores.registers, clock: bed.clock, logger } };
}

/** Appends entries and signs a checkpoint over all of them. */
async function signed(bed: LogBed, entries: number) {
  await bed.append(A, entries);
  const { size } = (await bed.sequence()).log;
  const head = { size, root: await rootOf(size, logReader(bed.stores).nodes(size)) };
  return { origin: ORIGIN, size, note: await signedCheckpoint(memorySigner(), ORIGIN, head) };
}

describe('witnesses', () => {
  it('sign each checkpoint after the one that they have signed before', async () => {
    const { bed, servers, witnesses, deps } = await witnessBed('witness.example/w1', 'witness.example/w2');
    for (const entries of [5, 300, 7]) {
      const { note, names } = await cosigned(deps, await signed(bed, entries), witnesses);
      expect(names).toEqual(['witness.example/w1', 'witness.example/w2']);
      const trust = {
        origin: ORIGIN,
        log: [noteVerifier(LOG_KEY)],
        witnesses: servers.map(({ key }) => noteVerifier(key)),
      };
      expect(openCheckpoint(note, { ...trust, quorum: 2 }).witnesses).toHaveLength(2);
    }
    expect(servers.map(({ requests }) => requests.map((request) => request.split('\n')[0]))).toEqual([
      ...[
        ['old 0', 'old 5', 'old 305'],
        ['old 0', 'old 5', 'old 305'],
      ],
    ]);
    expect((await logStatus(deps.registers)).witnesses).toEqual([
      { name: 'witness.example/w1', origin: ORIGIN, size: 312, problem: null },
      { name: 'witness.example/w2', origin: ORIGIN, size: 312, problem: null },
    ]);
  });

  it('are asked once more with the size that they name', async () => {
    const { bed, servers, witnesses, deps } = await witnessBed('witness.example/w1');
    await cosigned(deps, await signed(bed, 5), witnesses);
    const register = await deps.registers.read('log-witness/witness.example/w1');
    await deps.registers.remove('log-witness/witness.example/w1', register?.version ?? '');
    const { names } = await cosigned(deps, await signed(bed, 5), witnesses);
    expect(names).toEqual(['witness.example/w1']);
    expect(servers[0]?.requests.map((request) => request.split('\n')[0])).toEqual(['old 0', 'old 0', 'old 5']);
  });

  it('that have seen a larger checkpoint of the log reveal an older or forked store', async () => {
    const { bed, witnesses, deps } = await witnessBed('witness.example/w1');
    await cosigned(deps, await signed(bed, 9), witnesses);
    const older = logBed();
    const checkpoint = await signed(older, 4);
    const { note, names } = await cosigned({ ...deps, registers: older.stores.registers }, checkpoint, witnesses);
    expect([note, names]).toEqual([checkpoint.note, []]);
    const [state] = (await logStatus(older.stores.registers)).witnesses;
    expect(state?.problem?.message).toBe(
      'it has signed a checkpoint of this log with 9 entries, but this one has 4: the store is older than that checkpoint, or forked',
    );
  });

  it('that refuse, lie or do not answer are reported, and the signatures of the others are kept', async () => {
    const { bed, servers, witnesses, deps, warned } = await witnessBed('w1', 'w2', 'w3', 'w4');
    const [refusing, lying, hanging] = servers;
    if (refusing === undefined || lying === undefined || hanging === undefined) throw new Error('four witnesses');
    refusing.behave = misbehaving.refusing(403);
    const lie = await lying.lie(`${ORIGIN}\n99\n${Buffer.alloc(32).toString('base64')}\n`);
    lying.behave = misbehaving.saying(200, 'text/plain', lie);
    hanging.behave = misbehaving.hanging;
    const { note, names } = await cosigned(deps, await signed(bed, 5), witnesses);
    expect(names).toEqual(['w4']);
    expect(note.split('\n').filter((line) => line.startsWith('— '))).toHaveLength(2);
    const problems = (await logStatus(deps.registers)).witnesses.map(({ problem }) => problem?.message ?? null);
    expect(problems).toEqual([
      expect.stringContaining('it refused'),
      'its signature does not match the checkpoint',
      expect.stringContaining('it gave no usable answer'),
      null,
    ]);
    expect(warned).toHaveLength(3);
  });

  it('whose answer has only signatures by other keys are reported', async () => {
    const { bed, servers, witnesses, deps } = await witnessBed('w1', 'w2');
    const [first, second] = servers;
    const checkpoint = await signed(bed, 5);
    const foreign = (await second?.lie(checkpoint.note.slice(0, checkpoint.note.indexOf('\n\n') + 1))) ?? '';
    if (first !== undefined) first.behave = misbehaving.saying(200, 'text/plain', foreign);
    expect((await cosigned(deps, checkpoint, witnesses.slice(0, 1))).names).toEqual([]);
    expect((await logStatus(deps.registers)).witnesses[0]?.problem?.message).toBe(
      'its answer has no signature by its key',
    );
  });
});
