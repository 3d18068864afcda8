import { checkpointInNote } from '../../../../shared/domain/transparency/checkpoint.ts';
import { verifierKey } from '../../../../shared/domain/transparency/verifier-key.ts';
import {
  ArchiveError,
  type CheckpointArchive,
  type KeptCheckpoint,
} from '../../../../shared/ports/checkpoint-archive.ts';
import { type CheckpointSigner, SignerError } from '../../../../shared/ports/checkpoint-signer.ts';
import { ed25519Key, type SampleKey } from '../../domain/transparency/sample-keys.ts';

export interface TestSigner extends CheckpointSigner {
  /** `null`: it works. */
  fails: SignerError['kind'] | null;
}

/** A key that stays in memory. */
export function memorySigner({ key, signer }: SampleKey = ed25519Key('any', 7)): TestSigner {
  const state: TestSigner = {
    fails: null,
    async open() {
      if (state.fails !== null) throw new SignerError(state.fails, 'the key of the test is out of order');
      return { type: key.type, publicKey: key.publicKey };
    },
    sign: (message) => signer.sign(message),
    close: () => undefined,
  };
  return state;
}

/** The key under the name that a log gives it. */
export function keyNamed(name: string, { key }: SampleKey = ed25519Key('any', 7)) {
  return verifierKey({ name, type: key.type, publicKey: key.publicKey });
}

export interface TestArchive extends CheckpointArchive {
  readonly kept: KeptCheckpoint[];
  fails: ArchiveError['kind'] | null;
}

/** An archive in memory, which never replaces anything. */
export function memoryArchive(): TestArchive {
  const check = (): void => {
    if (state.fails !== null) throw new ArchiveError(state.fails, 'the archive of the test is out of order');
  };
  const state: TestArchive = {
    label: 'memory://archive',
    kept: [],
    fails: null,
    async newest(origin) {
      check();
      const own = state.kept.filter((each) => each.origin === origin).sort((a, b) => a.size - b.size);
      return own.at(-1)?.note ?? null;
    },
    async keep(checkpoint) {
      check();
      const same = state.kept.find(({ origin, size }) => origin === checkpoint.origin && size === checkpoint.size);
      if (same !== undefined && same.note !== checkpoint.note) throw new ArchiveError('conflict', 'another is kept');
      if (same === undefined) state.kept.push(checkpoint);
    },
    close: () => undefined,
  };
  return state;
}

export function sizeIn(note: string): number {
  return checkpointInNote(note).size;
}
