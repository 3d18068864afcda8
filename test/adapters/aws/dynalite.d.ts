/** What is used of dynalite, which has no types of its own. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface Options {
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }
  const dynalite: (options?: Options) => Server;
  // biome-ignore lint/style/noDefaultExport: it is dynalite that has one
  export default dynalite;
}
