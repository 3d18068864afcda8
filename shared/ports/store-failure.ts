/** What a store could not do. The error of every store adapter is one of these. */
export abstract class StoreFailure extends Error {
  /**
   * Whether the cause is the store as a whole (a full disk, a missing table) and not the item that was read or written: then no work can be
   * finished before the cause is fixed, and no message is at fault.
   */
  abstract readonly affectsAllWork: boolean;
}
