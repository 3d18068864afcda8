import type { StoreParts } from '../../adapters/store-parts.ts';
import type { StoreDoctor } from '../../app/doctor/store-checks.ts';
import type { Pace } from '../../app/runtime/maintenance.ts';
import type { Network } from '../../domain/network.ts';
import type { Registers } from '../../ports/registers.ts';
import type { Clock, NewId, Random } from '../../ports/system.ts';

/** An open store. Its methods throw `StoreError`. */
export interface OpenStore extends StoreParts {
  /** Faster registers for the rate limiter only, which may lose the last writes if the machine crashes; default `registers`. */
  readonly pacing?: Registers;
}

/** A store that can be copied into a file while it is in use. */
export interface LocalStore extends OpenStore {
  backup(file: string): Promise<void>;
}

export interface OpenOptions {
  readonly clock: Clock;
  readonly newId?: NewId;
  readonly random?: Random;
  readonly readOnly: boolean;
  /** Whether a missing store is created; otherwise the store throws `NotFound`. Default `false`. */
  readonly create?: boolean;
  /** The process runs until it is stopped, so it can wait longer for messages. */
  readonly daemon?: boolean;
}

export interface StoreDoctorOptions {
  readonly clock: Clock;
  readonly network: Network;
}

/** Everything that depends on which store is in use. Methods load the store's adapter only when they need it. */
export interface StoreProfile {
  /** The store's name in sentences. */
  readonly label: string;
  /** How sentences name an earlier copy of the store, with which an operator compares a damaged audit log. */
  readonly earlierCopy: string;
  /** Whether the store is a file of this machine, so that reading it costs nothing and needs no credentials. */
  readonly local: boolean;
  /** How often a daemon checks the schedule and looks for due work; default: the daemon's own intervals. */
  readonly pace?: Pace;
  /** For how long, ms, the rate limiter reserves calls in one write. */
  readonly reserveMs: number;
  /** How far the index of unpublished entries lags behind a write, ms. */
  readonly outboxLagMs: number;
  /** How long the API reuses the list of all accounts, ms. */
  readonly accountsAgeMs: number;
  /** How often the live feed reads the audit log, ms. */
  readonly pollMs: number;
  /** Backup and restore by file; `null`: the store's service has its own backups. */
  readonly backup: { readonly dataDir: string; open(options: OpenOptions): Promise<LocalStore> } | null;
  /** The deployment's event bus; `null`: none. @throws ConfigError naming each variable that is missing */
  eventBus(): Promise<string | null>;
  /** @throws StoreError; ConfigError naming each variable that is missing */
  open(options: OpenOptions): Promise<OpenStore>;
  /** Migrates a store of an older version, which cannot be opened for reading only. @throws StoreError */
  upgrade(clock: Clock): Promise<void>;
  /** Whether the error says that no command has created the store yet. */
  isMissing(error: unknown): boolean;
  /** The ARN of the operator's AWS credentials; `null`: there are none, or AWS does not answer within seconds. */
  operator(): Promise<string | null>;
  doctor(options: StoreDoctorOptions): Promise<StoreDoctor>;
}
