import type { Command, CommanderError } from 'commander';
import { oneLine } from '../../shared/domain/text.ts';
import { pathOf } from './help/format.ts';

/** What similar tools call it, and what it is called here, if a command has it. */
const HABITS: Readonly<Record<string, string>> = {
  '-v': '--version',
  '-V': '--version',
  '--auto-approve': '--yes',
  '-auto-approve': '--yes',
  '--dry-run': 'plan',
  ls: 'accounts',
  // Commander would suggest `restore`, which replaces the store.
  destroy: 'halt',
};

/**
 * What the rejected word probably means, where its spelling is not the mistake: a command of a group (`explain`: `policy explain`), a long option
 * with one dash, or the word of a similar tool. `null`: Commander's suggestion, if any, stands.
 */
export function meantBy({ code, message }: CommanderError, command: Command): string | null {
  if (code === 'commander.excessArguments') return optionForFile(command);
  const word = /'(.+?)'/.exec(message)?.[1];
  if (word === undefined) return null;
  if (code === 'commander.unknownOption') {
    const root = rootOf(command);
    const known = new Set([
      '--help',
      ...[...command.options, ...root.options].flatMap(({ long }) => long ?? []),
      ...root.commands.map((each) => each.name()),
    ]);
    return [HABITS[word], `-${word}`].find((each) => each !== undefined && known.has(each)) ?? null;
  }
  if (code !== 'commander.unknownCommand') return null;
  const root = rootOf(command);
  const inGroups = root.commands.flatMap(({ commands }) => commands.filter((each) => each.name() === word));
  if (inGroups.length > 0) return inGroups.map(pathOf).join(' or ');
  return HABITS[word] ?? null;
}

/** What is wrong with the arguments, naming them. `null`: Commander's message says so. */
export function plainly({ code, message }: CommanderError, { args, registeredArguments }: Command): string | null {
  if (code === 'commander.excessArguments') {
    const extra = args.slice(registeredArguments.length);
    return `unexpected argument${extra.length === 1 ? '' : 's'} ${extra.map(oneLine).join(' ')}`;
  }
  if (code !== 'commander.invalidArgument') return null;
  const [, value, name] = /^error: command-argument value '(.*)' is invalid for argument '(.+?)'/s.exec(message) ?? [];
  const choices = registeredArguments.find((each) => each.name() === name)?.argChoices;
  if (value === undefined || choices === undefined) return null;
  return `unknown ${name} ${oneLine(value)}: expected ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}

/** The option that takes the file that was given as an argument. `-out plan.json` is read as `-o ut`, followed by an argument. */
function optionForFile(command: Command): string | null {
  const { args, options } = command;
  const [file] = args;
  if (file === undefined || args.length > 1) return null;
  const has = (name: string): boolean => options.some(({ long }) => long === name);
  if (rootOf(command).opts()['output'] === 'ut') return has('--out') ? `--out ${file}` : null;
  const option = /\.ya?ml$/.test(file) ? '--policy' : file.endsWith('.json') ? '--plan' : null;
  return option !== null && has(option) ? `${option} ${file}` : null;
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}
