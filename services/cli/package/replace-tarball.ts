import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import * as z from 'zod';
import { environment } from '../../../shared/config/environment.ts';

/*
 * The script `postpack` of a checkout. `npm pack` can only pack the directory that it runs for, with the manifest of the checkout, whose dependencies an
 * installation would download. This replaces the tarball that `npm pack` has written by that of dist/npm, which `prepack` has built. Both have
 * the same name, because both manifests have the same name and version. The manifest of the checkout is never changed, so an interruption
 * leaves nothing to repair.
 */
const npm = z.object({
  /** The script of the npm that runs `npm pack`. */
  npm_execpath: z.string(),
  /** The directory in which `npm pack` was called. */
  INIT_CWD: z.string(),
  npm_config_pack_destination: z.string().default('.'),
  npm_config_dry_run: z.string().default(''),
});

const { npm_execpath, INIT_CWD, npm_config_pack_destination, npm_config_dry_run } = npm.parse(environment());
const built = resolve(import.meta.dirname, '../../../dist/npm');
if (npm_config_dry_run !== 'true') {
  const destination = resolve(INIT_CWD, npm_config_pack_destination);
  const args = [npm_execpath, 'pack', built, '--pack-destination', destination, '--loglevel', 'error'];
  // stdout is the output of the outer `npm pack`: one name, or one JSON document.
  execFileSync(process.execPath, args, { cwd: destination, stdio: ['ignore', 2, 2] });
}
