export interface Fault {
  readonly name: string;
  /** The consequence that a history must notice. */
  readonly breaks: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}
