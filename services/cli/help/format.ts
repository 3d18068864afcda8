import type { Command, Option } from 'commander';
import { hang, wrap } from '../ui/wrap.ts';
import { ENVIRONMENT_DEFAULTS } from './environment-defaults.ts';
import { exitCodesOf } from './exit-codes.ts';
import { overview, SLOGAN } from './overview.ts';
import { HELP } from './texts/index.ts';
import { TOPIC_NAMES } from './topic-names.ts';

/** Help has one width everywhere, so that it can be pasted. */
const WIDTH = 80;
/** The column, from 0, of the environment variable that sets an option. */
const VARIABLE_COLUMN = 61;
/** Terms longer than this have their text on the next line. */
const LONGEST_TERM = 44;

/** A row of two columns, and the environment variable at its right. */
interface Row {
  readonly term: string;
  readonly text: string;
  readonly variable?: string;
}

/** The names of a command below the program: `audit list`. */
export function pathOf(command: Command): string {
  const { parent } = command;
  return parent === null ? '' : `${pathOf(parent)} ${command.name()}`.trim();
}

/** The whole help of a command. */
export function helpOf(command: Command): string {
  const lines = command.parent === null ? programHelp(command) : commandHelp(command);
  return `${lines.join('\n')}\n`;
}

function programHelp(program: Command): string[] {
  const registered = new Set(program.commands.map((command) => command.name()));
  return [...wrap(SLOGAN, WIDTH), ...overview(registered, TOPIC_NAMES)];
}

function commandHelp(command: Command): string[] {
  const path = pathOf(command);
  const text = HELP[path];
  const exitCodes = exitCodesOf(path);
  const seeAlso = seeAlsoOf(command);
  const examples = (text?.examples ?? []).map(([term, what]) => ({ term, text: what }));
  const subcommands = command.commands
    .filter((each) => !isHidden(each))
    .map((each) => ({ term: each.name(), text: each.summary() }));
  return [
    ...wrap(descriptionOf(command), WIDTH),
    '',
    ...wrap(`Usage: ${usageOf(command)}`, WIDTH, 2),
    ...section('Commands:', subcommands),
    ...section('Examples:', examples),
    ...section('Arguments:', argumentRows(command)),
    ...section('Options:', optionRows(command)),
    ...(text?.notes === undefined ? [] : ['', ...text.notes]),
    ...(text?.formats === undefined
      ? []
      : ['', `Formats of --output: ${['table', 'json', ...text.formats].join(', ')}`]),
    ...(exitCodes === null ? [] : ['', ...wrap(`Exit codes: ${exitCodes}`, WIDTH, 2)]),
    ...(seeAlso.length === 0 ? [] : ['', ...wrap(`See also: ${seeAlso.join(', ')}`, WIDTH, 2)]),
  ];
}

/** The related commands that exist in this version. */
export function seeAlsoOf(command: Command): readonly string[] {
  const top = topOf(command);
  return (HELP[pathOf(command)]?.seeAlso ?? []).filter((each) => {
    const [, name = ''] = each.split(' ');
    return name === 'help' || top.commands.some((registered) => registered.name() === name);
  });
}

function topOf(command: Command): Command {
  return command.parent === null ? command : topOf(command.parent);
}

/** Full sentences about a command, for its help and the reference. */
export function descriptionOf(command: Command): string {
  const text = HELP[pathOf(command)];
  return text?.description ?? `${text?.summary ?? command.description()}.`;
}

/** How a command is called: `rollcall account <id> [options]`. */
export function usageOf(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  const group = command.commands.length > 0 ? ['<command>'] : [];
  return ['rollcall', pathOf(command), ...group, ...words, '[options]'].join(' ');
}

export function isHidden(command: Command): boolean {
  return !command.parent?.createHelp().visibleCommands(command.parent).includes(command);
}

function argumentRows(command: Command): Row[] {
  return command.registeredArguments
    .filter(({ description }) => description !== '')
    .map((argument) => ({ term: `<${argument.name()}>`, text: argument.description }));
}

function optionRows(command: Command): Row[] {
  return command.options
    .filter(({ hidden }) => !hidden)
    .map((option) => {
      const variable = ENVIRONMENT_DEFAULTS[option.long ?? ''];
      return { term: option.flags, text: optionText(option), ...(variable !== undefined && { variable }) };
    });
}

/** What an option means, with its default. */
export function optionText({ description, defaultValue }: Option): string {
  const value: unknown = defaultValue;
  return typeof value === 'string' || typeof value === 'number' ? `${description} (default: ${value})` : description;
}

function section(title: string, rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  const terms = rows.map(({ term }) => term.length).filter((length) => length <= LONGEST_TERM);
  const start = 2 + Math.max(0, ...terms) + 2;
  return ['', title, ...rows.flatMap((row) => rowLines(row, start))];
}

function rowLines({ term, text, variable }: Row, start: number): string[] {
  const prefix = `  ${term}`.padEnd(start);
  const fits = prefix.length === start;
  const room = variable === undefined ? WIDTH : VARIABLE_COLUMN - 1;
  const [first = '', ...more] = hang(fits ? prefix : ' '.repeat(start), text, room, start);
  const line = variable === undefined ? first : `${first.padEnd(VARIABLE_COLUMN)}${variable}`;
  return [...(fits ? [] : [prefix]), line, ...more];
}
