import manifest from '../../../package.json' with { type: 'json' };
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';

export async function runVersion({ output }: CliContext): Promise<number> {
  const { version } = manifest;
  const { versions, platform, arch } = process;
  output.result({ version, node: versions.node, platform, arch }, () => [
    `rollcall ${version} (Node.js ${versions.node}, ${platform} ${arch})`,
  ]);
  return EXIT.ok;
}
