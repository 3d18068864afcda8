import { Argument, type Command } from 'commander';
import { SHELLS, type Shell } from '../completion/shells.ts';
import type { Select } from '../context.ts';
import { TOPIC_NAMES } from '../help/topic-names.ts';

export function defineVersion(program: Command, select: Select): void {
  program
    .command('version')
    .action(() => select(async (context) => (await import('../commands/version.ts')).runVersion(context)));
}

export function defineHelp(program: Command, select: Select): void {
  program
    .command('help')
    .argument('[words...]', `a command, or a topic: ${TOPIC_NAMES.join(', ')}`)
    .action((words: string[]) =>
      select(async (context) => (await import('../commands/help.ts')).runHelp(context, program, words)),
    );
}

export function defineCompletion(program: Command, select: Select): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .action((shell: Shell) =>
      select(async (context) => (await import('../commands/completion.ts')).runCompletion(context, shell)),
    );
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action((words: string[]) =>
      select(async (context) => (await import('../commands/completion.ts')).runComplete(context, program, words)),
    );
}
