/** The used part of dynalite, which has no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface Options {
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }
  const dynalite: (options?: Options) => Server;
  // biome-ignore lint/style/noDefaultExport: dynalite has a default export
  export default dynalite;
}
