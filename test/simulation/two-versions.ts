import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OTHER_VERSION } from './other-version.ts';

/** No release is published yet: the last state before the work on observation by listings. A release replaces it. */
export const LAST_VERSION = '26e6caca';
const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs `work` with the sources of a commit as the other version, from the git history of this clone.
 * @returns what `work` returns; `null` if this clone does not have the commit
 */
export async function withVersion<T>(commit: string, work: () => Promise<T>): Promise<T | null> {
  if (!hasCommit(commit)) return null;
  const root = mkdtempSync(join(tmpdir(), 'rollcall-version-'));
  try {
    unpack(commit, root);
    // The other version runs with the packages of this one.
    symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'), 'dir');
    process.env[OTHER_VERSION] = root;
    return await work();
  } finally {
    delete process.env[OTHER_VERSION];
    rmSync(root, { recursive: true, force: true });
  }
}

function unpack(commit: string, root: string): void {
  const paths = ['package.json', 'services', 'shared', 'test'];
  const archive = join(root, 'version.tar');
  for (const [command, args] of [
    ['git', ['archive', '--output', archive, commit, '--', ...paths]],
    ['tar', ['-xf', archive, '-C', root]],
  ] as const) {
    const { status, stderr } = spawnSync(command, args, { cwd: REPOSITORY, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  }
}

/** Whether this clone has the commit. */
export function hasCommit(commit: string): boolean {
  return spawnSync('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: REPOSITORY }).status === 0;
}
