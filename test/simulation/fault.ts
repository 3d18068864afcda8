export interface Fault {
  readonly name: string;
  /** What is to be noticed. */
  readonly breaks: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}
