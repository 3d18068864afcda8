import type { Command } from 'commander';
import { didYouMean } from '../../../shared/domain/policy/file/findings.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { helpOf } from '../help/format.ts';
import { TOPIC_NAMES } from '../help/topic-names.ts';
import { topicText } from '../help/topics.ts';

/** `help`, `help TOPIC` and `help COMMAND`. */
export async function runHelp({ output }: CliContext, program: Command, words: readonly string[]): Promise<number> {
  const topic = TOPIC_NAMES.find((each) => words.length === 1 && each === words[0]);
  const lines = topic === undefined ? helpOf(commandOf(program, words)).trimEnd().split('\n') : topicText(topic);
  for (const line of lines) output.print(line);
  return EXIT.ok;
}

function commandOf(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const word of words) {
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) throw unknown(command, word, command === program);
    command = next;
  }
  return command;
}

function unknown(command: Command, word: string, top: boolean): CommandError {
  const choices = [...command.commands.map((each) => each.name()), ...(top ? TOPIC_NAMES : [])];
  const meant = didYouMean(word, choices);
  return new CommandError('Usage', `there is no help for ${word}`, {
    hints: [`${meant === null ? '' : `Did you mean ${meant}? `}Topics: ${TOPIC_NAMES.join(', ')}`],
  });
}
