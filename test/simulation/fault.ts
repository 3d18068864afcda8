export interface Fault {
  readonly name: string;
  /** The consequence that a history must notice. */
  readonly breaks: string;
  /** Only a worker of another version on the same stores can notice it. */
  readonly twoVersions?: true;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}
