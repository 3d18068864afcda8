/**
 * How a restore from a backup fills a register (a small stored document):
 * - `merged` the stricter of the backup and the replaced store, decided by `operator/reconcile-restored`
 * - `current` the content of the replaced store
 * - `currentOrBackup` the content of the replaced store or, if it has none, of the backup
 * - `dropped` nothing
 * - `backup` the content of the backup: it belongs to the backup's audit log
 */
type RestoreRule = 'merged' | 'current' | 'currentOrBackup' | 'dropped' | 'backup';

export interface DocumentInfo {
  /** The name in the store. A name that ends with `/` is the prefix of a family of registers. */
  readonly name: string;
  readonly purpose: string;
  /** The file in `shared/app` that owns the schema; no other file writes the document. */
  readonly owner: string;
  /** Increased by each change of the shape that the previous version of Rollcall cannot read. Default: 1. */
  readonly version?: number;
  readonly lifetime: string;
}

export interface RegisterInfo extends DocumentInfo {
  readonly restore: RestoreRule;
}

export const FOREVER = 'As long as the store exists';
