import type { Command, Option } from 'commander';
import { EXPORT_FORMATS } from '../../../shared/app/queries/audit/export-formats.ts';
import { KINDS } from '../../../shared/domain/enrollment/kinds/index.ts';
import { STATUSES } from '../../../shared/domain/enrollment/status.ts';
import { ENTRY_TYPES } from '../../../shared/domain/ledger/entry-types.ts';
import { pathOf } from '../help/format.ts';
import { HELP } from '../help/texts/index.ts';
import { TOPIC_NAMES } from '../help/topic-names.ts';
import { SHELLS } from './shells.ts';

/** A word that the shell may insert, and what it means. */
export interface Candidate {
  readonly value: string;
  readonly text: string;
}

/** What the store knows about an account. */
export interface KnownAccount {
  readonly id: string;
  readonly name: string;
  readonly ou: string;
}

/** A value that an option or an argument accepts: fixed words, or something that the store knows. */
type Values = readonly string[] | 'accounts' | 'selectors' | 'ous' | 'help';

const kindNames = KINDS.map(({ id }) => id);

/** The values of options, by their long names. Options that are not named here take text or a file. */
const OPTION_VALUES: Readonly<Record<string, Values>> = {
  '--account': 'accounts',
  '--enrollment': kindNames,
  '--format': EXPORT_FORMATS,
  '--kind': kindNames,
  '--ou': 'ous',
  '--status': STATUSES.map((status) => status.toLowerCase().replaceAll(' ', '-')),
  '--store': ['embedded', 'aws'],
  '--type': ENTRY_TYPES,
};

/** The values of arguments, by command. */
const ARGUMENT_VALUES: Readonly<Record<string, Values>> = {
  account: 'accounts',
  completion: SHELLS,
  help: 'help',
  'policy explain': 'accounts',
  resume: 'selectors',
  suspend: 'selectors',
};

/** The words before the current one, as commands and options. */
interface Line {
  readonly command: Command;
  /** The option whose value is the current word. */
  readonly option: Option | null;
}

/**
 * The candidates for the last of `words`. `accounts` is called only if accounts are needed. Empty: nothing is known, so that the shell offers
 * files.
 */
export async function candidates(
  program: Command,
  words: readonly string[],
  accounts: () => Promise<readonly KnownAccount[]>,
): Promise<readonly Candidate[]> {
  const { before, current, prefix } = lastWord(words);
  const { command, option } = readLine(program, before);
  if (option !== null) {
    // Several values are separated by commas.
    const comma = option.long === '--status' ? current.lastIndexOf(',') + 1 : 0;
    const found = await valuesFor(optionValues(option, command), current.slice(comma), program, accounts);
    return found.map(({ value, text }) => ({ value: prefix + current.slice(0, comma) + value, text }));
  }
  if (current.startsWith('-')) return starting(optionCandidates(command, program), current);
  if (command.commands.length > 0) return starting(commandCandidates(command), current);
  return valuesFor(ARGUMENT_VALUES[pathOf(command)] ?? [], current, program, accounts);
}

/** Splits `--option=value`, which bash passes as three words. */
function lastWord(words: readonly string[]): { before: readonly string[]; current: string; prefix: string } {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  if (current === '=') return { before, current: '', prefix: '' };
  if (before.at(-1) === '=') return { before: before.slice(0, -1), current, prefix: '' };
  const [, name, value] = /^(--[a-z-]+)=(.*)$/s.exec(current) ?? [];
  if (name === undefined || value === undefined) return { before, current, prefix: '' };
  return { before: [...before, name], current: value, prefix: `${name}=` };
}

function readLine(program: Command, words: readonly string[]): Line {
  let command = program;
  let option: Option | null = null;
  for (const word of words) {
    if (option !== null && word !== '=') option = null;
    else if (word.startsWith('-')) option = valueOption(command, program, word);
    else command = command.commands.find((each) => each.name() === word) ?? command;
  }
  return { command, option };
}

/** The option that takes the next word as its value. */
function valueOption(command: Command, program: Command, word: string): Option | null {
  const option = [...command.options, ...program.options].find(({ long, short }) => word === long || word === short);
  return option?.required === true ? option : null;
}

function optionValues(option: Option, command: Command): Values {
  if (option.long === '--output') return ['json', 'table', ...(HELP[pathOf(command)]?.formats ?? [])];
  return OPTION_VALUES[option.long ?? ''] ?? [];
}

function optionCandidates(command: Command, program: Command): Candidate[] {
  const options = new Set([...command.options, ...program.options]);
  const shown = [...options].filter(({ hidden }) => !hidden);
  return [
    ...shown.map(({ long, description }) => ({ value: long ?? '', text: description })),
    { value: '--help', text: 'help for a command' },
  ];
}

function commandCandidates(command: Command): Candidate[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.map((each) => ({ value: each.name(), text: each.summary() }));
}

async function valuesFor(
  values: Values,
  current: string,
  program: Command,
  accounts: () => Promise<readonly KnownAccount[]>,
): Promise<readonly Candidate[]> {
  switch (values) {
    case 'help':
      return starting([...commandCandidates(program), ...plain(TOPIC_NAMES)], current);
    case 'accounts':
      return accountCandidates(await accounts(), current);
    case 'ous':
      return starting(ouCandidates(await accounts(), ''), current);
    case 'selectors': {
      const known = await accounts();
      const others = [...ouCandidates(known, 'ou:'), { value: 'all', text: 'every account' }];
      return [...accountCandidates(known, current), ...starting(others, current)];
    }
    default:
      return starting(plain(values), current);
  }
}

/**
 * Accounts by their id, or by their name: a name that only one account has completes to its id, other names complete as far as they are equal.
 */
function accountCandidates(accounts: readonly KnownAccount[], current: string): Candidate[] {
  const byId = accounts.filter(({ id }) => id.startsWith(current));
  if (byId.length > 0) return byId.map(({ id, name }) => ({ value: id, text: name }));
  const byName = accounts.filter(({ name }) => name.toLowerCase().startsWith(current.toLowerCase()));
  const [only] = byName;
  if (byName.length === 1 && only !== undefined) return [{ value: only.id, text: only.name }];
  return byName.map(({ id, name }) => ({ value: name, text: id }));
}

function ouCandidates(accounts: readonly KnownAccount[], prefix: string): Candidate[] {
  const paths = [...new Set(accounts.map(({ ou }) => ou))].sort();
  return paths.map((path) => ({ value: prefix + path, text: 'organizational unit' }));
}

const plain = (values: readonly string[]): Candidate[] => values.map((value) => ({ value, text: '' }));

const starting = (all: readonly Candidate[], current: string): Candidate[] =>
  all.filter(({ value }) => value.startsWith(current));
