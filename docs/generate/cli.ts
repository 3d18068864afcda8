import type { Command } from 'commander';
import { ENVIRONMENT_DEFAULTS } from '../../services/cli/help/environment-defaults.ts';
import { exitCodesOf } from '../../services/cli/help/exit-codes.ts';
import { descriptionOf, isHidden, optionText, pathOf, seeAlsoOf, usageOf } from '../../services/cli/help/format.ts';
import { HELP } from '../../services/cli/help/texts/index.ts';
import { commandLine } from '../../services/cli/program.ts';
import { code, page, table } from './markdown.ts';

/** Every command with its arguments, options, examples and exit codes. */
export function cliPage(): string {
  const program = commandLine();
  const commands = program.commands.flatMap(withSubcommands).toSorted((a, b) => pathOf(a).localeCompare(pathOf(b)));
  return page('Command line', 'the definitions in services/cli', [
    'The same text as `rollcall COMMAND --help`. [Configuration](configuration.md) has exit codes, environment variables and files.',
    '',
    ...table(
      ['command', 'does'],
      commands.map((command) => [
        `[\`${pathOf(command)}\`](#rollcall-${pathOf(command).replaceAll(' ', '-')})`,
        HELP[pathOf(command)]?.summary ?? command.description(),
      ]),
    ),
    '## Options of every command',
    '',
    ...optionTable(program),
    ...commands.flatMap(section),
  ]);
}

function withSubcommands(command: Command): Command[] {
  return isHidden(command) ? [] : [command, ...command.commands.flatMap(withSubcommands)];
}

function section(command: Command): string[] {
  const { examples = [], formats = [], notes } = HELP[pathOf(command)] ?? {};
  const exitCodes = exitCodesOf(pathOf(command));
  const seeAlso = seeAlsoOf(command);
  const described = command.registeredArguments.filter(({ description }) => description !== '');
  return [
    `## rollcall ${pathOf(command)}`,
    '',
    descriptionOf(command),
    '',
    '```text',
    usageOf(command),
    '```',
    '',
    ...table(
      ['argument', 'meaning'],
      described.map((each) => [code(each.name()), each.description]),
    ),
    ...optionTable(command),
    ...(notes === undefined ? [] : ['```text', ...notes, '```', '']),
    ...(examples.length === 0 ? [] : ['```sh', ...exampleLines(examples), '```', '']),
    ...(formats.length === 0
      ? []
      : [`Formats of \`--output\`: ${['table', 'json', ...formats].map(code).join(', ')}.`, '']),
    ...(exitCodes === null ? [] : [`Exit codes: ${exitCodes}`, '']),
    ...(seeAlso.length === 0 ? [] : [`See also: ${seeAlso.map(code).join(', ')}`, '']),
  ];
}

function exampleLines(examples: readonly (readonly [command: string, what: string])[]): string[] {
  const width = Math.max(...examples.map(([command]) => command.length));
  return examples.map(([command, what]) => `${command.padEnd(width)}  # ${what}`);
}

function optionTable(command: Command): string[] {
  const shown = command.options.filter(({ hidden }) => !hidden);
  return table(
    ['option', 'meaning', 'environment'],
    shown.map((option) => {
      const variable = ENVIRONMENT_DEFAULTS[option.long ?? ''];
      return [code(option.flags), optionText(option), variable === undefined ? '' : code(variable)];
    }),
  );
}
