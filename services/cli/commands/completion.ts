import type { Command } from 'commander';
import { storeProfile } from '../../../shared/compose/stores/index.ts';
import { readConfig } from '../../../shared/config/config.ts';
import { oneLine } from '../../../shared/domain/text.ts';
import { candidates, type KnownAccount } from '../completion/candidates.ts';
import { SCRIPTS } from '../completion/scripts.ts';
import type { Shell } from '../completion/shells.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { withStore } from '../session.ts';

export async function runCompletion({ output }: CliContext, shell: Shell): Promise<number> {
  for (const line of SCRIPTS[shell].split('\n')) output.print(line);
  return EXIT.ok;
}

/** Answers a completion script: one candidate a line, with its description after a tab. */
export async function runComplete(context: CliContext, program: Command, words: readonly string[]): Promise<number> {
  const found = await candidates(program, words, () => knownAccounts(context, words));
  const lines = found.map(({ value, text }) => `${oneLine(value)}\t${oneLine(text)}\n`);
  await context.output.pour(
    (async function* () {
      yield lines.join('');
    })(),
  );
  return EXIT.ok;
}

/** The accounts of the store that the words name. None without a local store: completion neither waits for AWS nor reports errors. */
async function knownAccounts(context: CliContext, words: readonly string[]): Promise<readonly KnownAccount[]> {
  const { config, env } = context;
  const store = optionOf(words, '--store') ?? config.store;
  const dataDir = optionOf(words, '--data-dir') ?? config.dataDir;
  try {
    const settings = readConfig({ ...config, json: false, store, dataDir, color: false, quiet: false }, env);
    if (settings.store !== 'embedded') return [];
    const snapshot = await withStore({ ...context, store: storeProfile(settings, env) }, true, ({ snapshots }) =>
      snapshots.load(),
    );
    return snapshot?.accounts ?? [];
  } catch {
    return [];
  }
}

function optionOf(words: readonly string[], name: string): string | null {
  const at = words.indexOf(name);
  const joined = words.find((word) => word.startsWith(`${name}=`));
  return joined?.slice(name.length + 1) ?? (at === -1 ? null : (words[at + 1] ?? null));
}
