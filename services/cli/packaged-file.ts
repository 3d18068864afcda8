import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';

/** From this module to the root of its files: in the bundle of the npm package, and in the sources of a checkout. */
const ROOTS = ['..', '../..'];

/**
 * The path of a file that comes with Rollcall, such as `infra/member-role.yml`, for commands that the user copies: relative if it is below the current
 * directory, otherwise absolute. If the file is not there (a bundle without its package), its path in the repository.
 */
export function packagedFile(path: string, cwd: string): string {
  const found = ROOTS.map((root) => join(import.meta.dirname, root, path)).find((file) => existsSync(file));
  if (found === undefined) return path;
  const near = relative(cwd, found);
  return near.startsWith('..') ? found : near;
}
