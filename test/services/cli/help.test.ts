import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { helpOf, pathOf } from '../../../services/cli/help/format.ts';
import { LISTED } from '../../../services/cli/help/overview.ts';
import { HELP } from '../../../services/cli/help/texts/index.ts';
import { TOPIC_NAMES } from '../../../services/cli/help/topic-names.ts';
import { topicText } from '../../../services/cli/help/topics.ts';
import { commandLine, parse } from '../../../services/cli/program.ts';
import { place, rollcall } from './support.ts';

const program = commandLine();
const below = (command: Command): Command[] => command.commands.flatMap((each) => [each, ...below(each)]);
const commands = below(program).filter((command) => !pathOf(command).startsWith('__'));

/** The help of a command and of the commands below it, as in a terminal. */
function transcript(command: Command): string {
  return [command, ...below(command)].map((each) => `$ rollcall ${pathOf(each)} --help\n${helpOf(each)}`).join('\n');
}

describe('help', () => {
  test('of rollcall', async () => {
    await expect(`$ rollcall\n${helpOf(program)}`).toMatchFileSnapshot('../../golden/help/rollcall.txt');
  });

  test.each(program.commands.map((command) => command.name()).filter((name) => !name.startsWith('__')))(
    'of %s',
    async (name) => {
      const command = program.commands.find((each) => each.name() === name) ?? program;
      await expect(transcript(command)).toMatchFileSnapshot(`../../golden/help/${name}.txt`);
    },
  );

  test.each(TOPIC_NAMES)('of the topic %s', async (topic) => {
    const text = `$ rollcall help ${topic}\n${topicText(topic).join('\n')}\n`;
    await expect(text).toMatchFileSnapshot(`../../golden/help/help-${topic}.txt`);
  });

  test('fits 80 columns', () => {
    const texts = [...[program, ...commands].map(helpOf), ...TOPIC_NAMES.map((topic) => topicText(topic).join('\n'))];
    for (const line of texts.flatMap((text) => text.split('\n'))) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test('exists for every command, with examples that can be parsed', () => {
    const nothing = { write: () => undefined };
    for (const path of commands.map(pathOf)) {
      const { summary = '', examples = [] } = HELP[path] ?? {};
      expect(summary, path).not.toBe('');
      expect(examples.length, path).toBeGreaterThan(0);
      for (const [line] of examples) {
        const [, words = ''] = /rollcall (.*?)(?: [|<>]|\)|$)/.exec(line) ?? [];
        const args = [...words.matchAll(/"[^"]*"|'[^']*'|\S+/g)].map(([word]) => word.replace(/^["']|["']$/g, ''));
        expect(() => parse(args, nothing), line).not.toThrow();
      }
    }
  });

  test('every visible command has its place in the overview', () => {
    const visible = program.createHelp().visibleCommands(program);
    expect(visible.map((command) => command.name()).filter((name) => !LISTED.includes(name))).toEqual([]);
  });

  test('the overview has every option that all commands accept', () => {
    const overview = helpOf(program);
    for (const { long } of program.options) if (long !== '--version') expect(overview).toContain(long);
  });

  test('help COMMAND is the same as COMMAND --help', async () => {
    const cwd = place();
    const [topic, command] = await Promise.all([
      rollcall(['help', 'audit', 'list'], { cwd }),
      rollcall(['audit', 'list', '--help'], { cwd }),
    ]);
    expect(topic).toMatchObject({ code: 0, stderr: '', stdout: command.stdout });
  });
});
