import { organizationOf } from '../../shared/app/coordination/organization-binding.ts';
import { logStatus } from '../../shared/app/transparency/checkpoint-state.ts';
import { LogContent } from '../../shared/app/transparency/log-content.ts';
import { TransparencyLog } from '../../shared/app/transparency/transparency-log.ts';
import { logOrigin } from '../../shared/domain/ledger/log-origin.ts';
import { type LogCheckpoint, parseCheckpoint } from '../../shared/domain/transparency/checkpoint.ts';
import { equalBytes } from '../../shared/domain/transparency/hash.ts';
import type { CheckpointSigner } from '../../shared/ports/checkpoint-signer.ts';
import { DamagedRegisterError } from '../../shared/ports/registers.ts';
import type { Clock } from '../../shared/ports/system.ts';
import { ed25519Key } from '../unit/domain/transparency/sample-keys.ts';
import type { Environment, Simulation } from './environment.ts';
import { Process } from './process.ts';
import { SeededRandom } from './seeded-random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The share of histories that have a log, which takes a third of the time of such a history. */
const SHARE = 0.1;

/**
 * Processes that keep the transparency log while all others work, sometimes two at the same time. Invariant 7: at the end the log has every entry exactly
 * as its chain has it, and extends every checkpoint that was ever signed for it. They use a separate random stream.
 */
export class LogKeepers {
  readonly #simulation: Simulation;
  readonly #chance: SeededRandom;
  /** Everything that the key has signed, whatever became of it. */
  readonly #signed: LogCheckpoint[] = [];
  /** `null`: they sign nothing. */
  readonly #signer: CheckpointSigner | null;
  readonly #hasLog: boolean;
  #ids = 0;

  /** @param withOlderVersion whether processes of an older version take part */
  constructor(simulation: Simulation, seed: number, withOlderVersion: boolean) {
    this.#simulation = simulation;
    this.#chance = new SeededRandom(Math.imul(seed, 0x2545f491) ^ 0x1b873593);
    this.#hasLog = this.#chance.happens(SHARE);
    // The older version cannot read `CheckpointPublished`, so signing is turned on after its last process has ended (docs/how-to/deploy-aws.md).
    this.#signer = withOlderVersion ? null : this.#recordingSigner();
  }

  #recordingSigner(): CheckpointSigner {
    const { key, signer } = ed25519Key('any', 7);
    return {
      open: async () => ({ type: key.type, publicKey: key.publicKey }),
      sign: async (message) => {
        this.#signed.push(parseCheckpoint(new TextDecoder().decode(message)));
        return signer.sign(message);
      },
      close: () => undefined,
    };
  }

  begin(): void {
    if (!this.#hasLog) return;
    const { time, calmed } = this.#simulation;
    const ms = calmed ? this.#chance.between(1, 4) * HOUR : this.#chance.between(1, 15) * MINUTE;
    time.after(ms, () => {
      if (this.#simulation.over) return;
      this.#keep();
      if (this.#chance.happens(0.2)) this.#keep();
      this.begin();
    });
  }

  /** Lets a process work when a backup replaces the store in `ms`. */
  workDuring(ms: number): void {
    if (!this.#hasLog) return;
    const { time, faultProfile } = this.#simulation;
    const early = this.#chance.between(0, faultProfile.longestDelayMs);
    time.after(Math.max(0, ms - early), () => {
      if (!this.#simulation.over) this.#keep();
    });
  }

  #keep(): void {
    this.#ids += 1;
    const process = new Process(this.#environment(), `log-${this.#ids}`);
    const { policy } = this.#simulation;
    const log = new TransparencyLog(process.deps(policy), 0);
    log
      .run(this.#checkpointing, { until: process.clock.now() + 5_000, last: this.#chance.happens(0.2) })
      .catch((error: unknown) => this.#simulation.note(`${process.name} ends: ${String(error)}`))
      .finally(() => process.end());
  }

  #environment(): Environment {
    const { time, faultProfile, stores, sandbox, caller } = this.#simulation;
    const none = () => undefined;
    return {
      ...{ time, faultProfile, stores, sandbox, caller, chance: this.#chance, newId: this.#newId },
      note: (line) => this.#simulation.note(line),
      ...{ arrived: none, acted: none, answered: none, sent: none, received: none, finished: none },
    };
  }

  readonly #newId = (): string => {
    this.#ids += 1;
    return `L${String(this.#ids).padStart(25, '0')}`;
  };

  readonly #checkpointing = async () => ({ signer: this.#signer, archive: null, witnesses: [] });

  /** Lets one process finish the log without faults, and compares it with the chains and all checkpoints. */
  async check(): Promise<void> {
    if (!this.#hasLog) return;
    try {
      await this.#finish();
    } catch (error) {
      if (!(error instanceof DamagedRegisterError)) throw error;
      this.#report(error.message);
    }
  }

  async #finish(): Promise<void> {
    const { stores, time, caller } = this.#simulation;
    const until = (_: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
    // Late enough that every lease is free, all chains are compared, and a checkpoint is due.
    const clock: Clock = { now: () => time.now() + 2 * DAY, sleep: until };
    const silent = () => undefined;
    const logger = { debug: silent, info: silent, warn: silent, error: silent };
    const deps = { ...stores, clock, logger, newId: this.#newId, actor: caller.arn };
    await new TransparencyLog(deps, 0).run(this.#checkpointing, { until: Number.POSITIVE_INFINITY, last: true });
    const { log, refused } = await logStatus(stores.registers);
    if (refused !== null) this.#report(`no checkpoint is signed: ${refused.message}`);
    for (const { chain, seq, problem } of log?.broken ?? [])
      this.#report(`${chain}: entry ${seq} is left out: ${problem}`);
    const organizationId = await organizationOf(stores);
    if (log === null || organizationId === null) return;
    const own = this.#ownCheckpoints(logOrigin({ organizationId, logId: log.id }));
    const content = await LogContent.read(
      stores,
      own.map(({ size }) => size),
    );
    if (content !== null) this.#compare(content, own);
  }

  /** Those of the log that the store has now. Two of the same size must have the same root, also if the log was replaced since. */
  #ownCheckpoints(origin: string): readonly LogCheckpoint[] {
    const roots = new Map<string, Uint8Array>();
    for (const checkpoint of this.#signed) {
      const name = `${checkpoint.origin} ${checkpoint.size}`;
      const known = roots.get(name) ?? checkpoint.root;
      roots.set(name, known);
      if (!equalBytes(known, checkpoint.root)) this.#report(`two checkpoints of ${name} entries have different roots`);
    }
    return this.#signed.filter((each) => each.origin === origin);
  }

  #compare(content: LogContent, own: readonly LogCheckpoint[]): void {
    for (const problem of content.problems) this.#report(problem);
    let entries = 0;
    for (const [chain, all] of this.#simulation.stores.inside.chains) {
      for (const { seq, hash, type } of all) {
        const logged = content.hashOf(chain, seq);
        entries += 1;
        // The last entry may be that of the checkpoint.
        if (logged === null && type !== 'CheckpointPublished') this.#report(`${chain}: entry ${seq} is not in the log`);
        if (logged !== null && logged !== hash) this.#report(`${chain}: the log has another entry ${seq}`);
      }
    }
    if (content.size > entries) this.#report(`the log has ${content.size} entries, and the chains ${entries}`);
    for (const { size, root } of own) {
      const found = content.rootAt(size);
      if (found === null || !equalBytes(found, root))
        this.#report(`the log does not extend its checkpoint of ${size} entries`);
    }
  }

  #report(what: string): void {
    this.#simulation.checker.report(7, `transparency log: ${what}`);
  }
}
