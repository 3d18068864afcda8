import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newCheckpointKey, openCheckpointing } from '../../../shared/compose/checkpoints.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { DIRECT } from '../../../shared/domain/network.ts';
import { parseVerifierKey, verifierKey, writeVerifierKey } from '../../../shared/domain/transparency/verifier-key.ts';
import { cosignRequest, LOG } from '../../contract/witness.contract.ts';
import { manualClock } from '../../support/manual-clock.ts';
import { startWitness } from '../../support/witness.ts';

const options = { clock: manualClock(), random: () => 0.5, network: DIRECT };

describe('what checkpoints need', () => {
  it('is nothing by default', async () => {
    const { signer, archive, witnesses, close } = await openCheckpointing({}, options);
    expect({ signer, archive, witnesses }).toEqual({ signer: null, archive: null, witnesses: [] });
    close();
  });

  it('comes from the environment', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'key.pem');
    const created = await newCheckpointKey(path, 'rollcall/o-1/a');
    const server = await startWitness({ name: 'witness.example/w1', logs: [LOG.key], now: () => 1_793_610_000 });
    onTestFinished(() => server.close());
    const { signer, archive, witnesses, close } = await openCheckpointing(
      {
        ROLLCALL_CHECKPOINT_KEY: path,
        ROLLCALL_CHECKPOINT_ARCHIVE: 's3://checkpoints/audit',
        ROLLCALL_CHECKPOINT_WITNESSES: `${writeVerifierKey(server.key)}@${server.url}`,
      },
      options,
    );
    onTestFinished(close);
    const key = verifierKey({ name: 'rollcall/o-1/a', ...((await signer?.open()) ?? expect.fail('no signer')) });
    expect(key).toEqual(parseVerifierKey(created.verifierKey ?? ''));
    expect(archive?.label).toBe('s3://checkpoints/audit');
    expect(witnesses.map((each) => each.key)).toEqual([server.key]);
    expect(witnesses[0]?.witness.name).toBe('witness.example/w1');
    expect(await witnesses[0]?.witness.cosign(await cosignRequest(0, 5))).toMatchObject({ kind: 'cosigned' });
  });

  it('can be a key in KMS, which is not asked before it is used', async () => {
    const { signer, close } = await openCheckpointing({ ROLLCALL_CHECKPOINT_KEY: 'awskms:alias/rollcall' }, options);
    expect(signer).not.toBeNull();
    close();
  });

  it('is refused if a variable is wrong', async () => {
    const env = { ROLLCALL_CHECKPOINT_KEY: 'awskms:' };
    await expect(openCheckpointing(env, options)).rejects.toThrow(ConfigError);
  });
});
