import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '../../../services/cli/exit-codes.ts';
import { helpOf, isHidden, pathOf } from '../../../services/cli/help/format.ts';
import { commandLine } from '../../../services/cli/program.ts';

const ROOT = join(import.meta.dirname, '../../..');

interface SourceFunction {
  readonly file: string;
  readonly name: string;
  readonly body: string;
}

const sources = new Map(
  globSync('services/cli/**/*.ts', { cwd: ROOT }).map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]),
);

/** The functions of the command line that are declared with `function`. */
const functions: readonly SourceFunction[] = [...sources].flatMap(([file, text]) =>
  [...text.matchAll(/^(?:export )?(?:async )?function (\w+)[\s\S]*?^}$/gm)].map(([body, name = '']) => ({
    ...{ file, name, body },
  })),
);

const importsOf = (file: string): readonly string[] =>
  [...(sources.get(file) ?? '').matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map(([, path = '']) =>
    normalize(join(dirname(file), path)),
  );

/** A function and all that it calls. */
function reached(first: SourceFunction): readonly SourceFunction[] {
  const found = new Set([first]);
  for (const { file, body } of found) {
    const known = [file, ...importsOf(file)];
    const called = new Set([...body.matchAll(/\b(\w+)\(/g)].map(([, name]) => name));
    for (const next of functions) if (known.includes(next.file) && called.has(next.name)) found.add(next);
  }
  return [...found];
}

/** The codes in the source of a command. Ctrl-C and SIGTERM can end any command, so these two are not among them. */
function codesIn(file: string, name: string): readonly number[] {
  const first = functions.find((each) => each.file === file && each.name === name) ?? expect.fail(`${file} ${name}`);
  const named = reached(first).flatMap(({ body }) => [...body.matchAll(/\bEXIT\.(\w+)/g)].map(([, code]) => code));
  return [
    EXIT.error,
    ...(['ok', 'drift', 'partly', 'stopped'] as const).flatMap((code) => (named.includes(code) ? [EXIT[code]] : [])),
  ];
}

/** The function that runs a command, from the definitions: `plan` runs `runPlan` of `commands/plan.ts`. */
const runners = new Map(
  globSync('services/cli/definitions/*.ts', { cwd: ROOT }).flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const pattern = /(\w+)\)?\s*\.command\('([\w-]+)'(?:(?!\.command\()[\s\S])*?\.(run\w+)\(/g;
    return [...text.matchAll(pattern)].map(([whole, parent = '', word = '', name = '']): [string, SourceFunction] => {
      const [near] = [...whole.matchAll(/commands\/([\w-]+)\.ts/g)].toReversed();
      const module = near?.[1];
      const candidates = functions.filter((each) => each.name === name && importsOf(file).includes(each.file));
      const found = candidates.find((each) => module === undefined || each.file.endsWith(`/${module}.ts`));
      const path = parent === 'program' ? word : `${parent} ${word}`;
      return [path, found ?? candidates[0] ?? expect.fail(`no function for ${path}`)];
    });
  }),
);

function descendants(command: ReturnType<typeof commandLine>): ReturnType<typeof commandLine>[] {
  return command.commands.flatMap((each) => [each, ...descendants(each)]);
}

const leaves = descendants(commandLine()).filter((each) => each.commands.length === 0 && !isHidden(each));

test.each(leaves.map((command) => [pathOf(command), command] as const))(
  'the help of %s has its exit codes',
  (path, command) => {
    const [, list = ''] = /^Exit codes: ([\s\S]*?)(?:\n\n|\n$)/m.exec(helpOf(command)) ?? [];
    const listed = list
      .replace(/\s+/g, ' ')
      .split(' · ')
      .map((part) => Number(/^\d+/.exec(part)?.[0]));
    const { file, name } = runners.get(path) ?? expect.fail(`no runner for ${path}`);
    expect(listed.filter((code) => code !== EXIT.interrupted)).toEqual([...codesIn(file, name)].sort());
  },
);
