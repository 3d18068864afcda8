import type { DatabaseSync } from 'node:sqlite';

/** 'ROLL', SQLite's application_id of Rollcall's files. */
export const APPLICATION_ID = 0x52_4f_4c_4c;

export interface Migration {
  readonly name: string;
  /** Migrates the schema from the previous version, in one transaction with the update of the version number. */
  readonly up: (db: DatabaseSync) => void;
}

/** Step n migrates a file from version n−1 to n. New steps are added at the end; a released step never changes. */
export const MIGRATIONS: readonly Migration[] = [
  { name: 'first schema', up: (db) => db.exec(FIRST) },
  { name: 'the state at a time', up: (db) => db.exec(TAILS) },
  { name: 'the outline of a run', up: (db) => db.exec(OUTLINES) },
  { name: 'intents without a call', up: (db) => db.exec(UNSENT) },
  { name: 'the time of sending', up: (db) => db.exec(SENT) },
  { name: 'lanes of the queue', up: (db) => db.exec(LANES) },
  { name: 'approved changes', up: (db) => db.exec(APPROVED) },
];

/** The first part of register versions in a file that was never restored. Each restore begins a new generation. */
export const FIRST_GENERATION = '1';

/** Times are epoch ms. `body` contains the document as JSON; the other columns repeat parts of it for queries. */
const FIRST = `
-- Where each chain ends. Kept beside the entries, so that entries missing at the end of a chain are noticed.
CREATE TABLE chains (
  chain TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- "position" is the order of storing; every index ends with it.
CREATE TABLE ledger (
  position INTEGER PRIMARY KEY,
  chain TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  account_id TEXT,
  enrollment TEXT,
  run_id TEXT,
  actor TEXT NOT NULL,
  opt_out INTEGER NOT NULL,
  published INTEGER NOT NULL DEFAULT 0,
  body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX ledger_chain ON ledger (chain, seq);
CREATE INDEX ledger_account ON ledger (account_id, at) WHERE account_id IS NOT NULL;
CREATE INDEX ledger_run ON ledger (run_id, at) WHERE run_id IS NOT NULL;
CREATE INDEX ledger_type ON ledger (type, at);
CREATE INDEX ledger_actor ON ledger (actor, at);
CREATE INDEX ledger_enrollment ON ledger (enrollment, at) WHERE enrollment IS NOT NULL;
CREATE INDEX ledger_at ON ledger (at);
CREATE INDEX ledger_changes ON ledger (at, account_id, opt_out) WHERE type = 'RemediationStarted';
CREATE INDEX ledger_unpublished ON ledger (published) WHERE published = 0;

CREATE TABLE records (
  account_id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL,
  wake_at INTEGER,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX records_wake ON records (wake_at) WHERE wake_at IS NOT NULL;

-- "receipt" is NULL while nobody has the message; "work" is what two messages have in common that mean the same.
CREATE TABLE queue (
  id INTEGER PRIMARY KEY,
  work TEXT NOT NULL,
  body TEXT NOT NULL,
  visible_at INTEGER NOT NULL,
  receives INTEGER NOT NULL DEFAULT 0,
  receipt TEXT
) STRICT;
CREATE INDEX queue_visible ON queue (visible_at);
CREATE INDEX queue_work ON queue (work);

CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  entry_id TEXT,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_letters_at ON dead_letters (at);

-- A version is "generation-counter": the counter never goes back, and a restore begins a new generation.
CREATE TABLE registers (
  name TEXT PRIMARY KEY,
  version TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE TABLE register_versions (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  generation TEXT NOT NULL,
  counter INTEGER NOT NULL
) STRICT;
INSERT INTO register_versions VALUES (1, '${FIRST_GENERATION}', 0);

CREATE TABLE snapshot (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  body TEXT NOT NULL
) STRICT;
CREATE TABLE facts (
  account_id TEXT PRIMARY KEY,
  body TEXT NOT NULL
) STRICT;
`;

/** Indexes to find the state of all accounts at a past time, and the checkpoints of pruned chains. */
const TAILS = `
CREATE INDEX ledger_tails ON ledger (account_id, enrollment, at) WHERE account_id = chain;
CREATE INDEX ledger_checkpoints ON ledger (chain, seq) WHERE type = 'ChainPruned';
`;

/** An index with all columns that are needed to count a run's changes, so that the entries themselves are not read. */
const OUTLINES = `
CREATE INDEX ledger_steps ON ledger (run_id, account_id, enrollment, seq, type, chain) WHERE run_id IS NOT NULL;
`;

/** An index of the outcomes of intents that were never sent, which the change caps do not count. `unsent` is read from the hashed body. */
const UNSENT = `
CREATE INDEX ledger_unsent ON ledger (at, account_id, enrollment, seq)
  WHERE type IN ('RemediationFailed', 'RemediationBlocked') AND json_extract(body, '$.detail.unsent') = 1;
`;

/**
 * The plan under which an intent was made; NULL: none, or the body was damaged. Nothing then shows that the intent was approved, so it counts. Without
 * this check a damaged body would prevent the store from being opened, even to verify it.
 */
export const APPROVED_PLAN = "CASE WHEN json_valid(body) THEN json_extract(body, '$.detail.approvedPlan') END";

/** Indexes the intents under an approval, which do not count against `maxChanges`. `approvedPlan` is read from the body, which the hash covers. */
const APPROVED = `
CREATE INDEX ledger_approved ON ledger (at, account_id, enrollment)
  WHERE type = 'RemediationStarted' AND ${APPROVED_PLAN} IS NOT NULL;
`;

/** NULL for messages that an earlier version sent. */
const SENT = `
ALTER TABLE queue ADD COLUMN sent_at INTEGER;
`;

/**
 * Urgent messages (0) are received before bulk messages (1). Bulk is the default, for messages of an earlier version: those enqueued before the
 * migration, and those of a process that still has the file open.
 */
const LANES = `
ALTER TABLE queue ADD COLUMN lane INTEGER NOT NULL DEFAULT 1;
DROP INDEX queue_visible;
CREATE INDEX queue_visible ON queue (lane, visible_at);
`;
