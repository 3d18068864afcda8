import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { reportLines, reportOf } from '../../../services/cli/errors.ts';
import { cliLogger } from '../../../services/cli/log.ts';
import { approvalText, haltText, suspensionText } from '../../../services/cli/ui/enforcement-text.ts';
import { Output } from '../../../services/cli/ui/output.ts';
import { oneLine, table } from '../../../services/cli/ui/table.ts';
import { shorten } from '../../../services/cli/ui/wrap.ts';
import { jsonLogger } from '../../../shared/adapters/system/logger.ts';
import { digestOf } from '../../../shared/domain/ledger/alert-message.ts';
import { initPolicy } from '../../../shared/domain/policy/init/policy-from-organization.ts';
import { jsonAscii, visible, visibleLines } from '../../../shared/domain/text.ts';
import { chainOf, draft, sealAll } from '../../contract/samples.ts';

/** Characters that are invisible or change the text around them. */
const HIDDEN = {
  'right-to-left override': '\u202e',
  'left-to-right isolate': '\u2066',
  'pop directional isolate': '\u2069',
  'Arabic letter mark': '\u061c',
  'right-to-left mark': '\u200f',
  'zero-width space': '\u200b',
  'zero-width joiner': '\u200d',
  'word joiner': '\u2060',
  'byte order mark': '\ufeff',
  'soft hyphen': '\u00ad',
  'variation selector': '\ufe0f',
  'tag letter': '\u{e0041}',
  'hangul filler': '\u3164',
  'line separator': '\u2028',
  'paragraph separator': '\u2029',
  escape: '\u001b[2J',
  'C1 control sequence': '\u009b31m',
  bell: '\u0007',
  'carriage return': '\r',
  delete: '\u007f',
} as const;
const NAMES = Object.entries(HIDDEN);
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** A terminal with colors that records its output. */
function terminal(isTTY = true) {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    write: (text: string) => {
      written[name] += text;
    },
    on: () => undefined,
    isTTY,
    columns: 200,
  });
  const output = new Output(stream('out'), stream('err'), { json: false, color: isTTY ? 'always' : 'never' });
  return { output, written };
}

describe('text for people', () => {
  it.each(NAMES)('shows a %s by its number, or as a space', (_name, text) => {
    const shown = visible(`pro${text}d`);
    expect(shown).not.toMatch(UNSAFE);
    expect(shown).not.toBe('prod');
  });

  it('keeps text in any script', () => {
    const words = 'Zürich 東京 العربية עברית हिन्दी 👍 café – “x” e\u0301';
    expect(visible(words)).toBe(words);
    expect(visibleLines('a\nb')).toBe('a\nb');
    expect(visible('a\u202eb')).toBe('a<U+202E>b');
    expect(visible('a\u{e0041}b')).toBe('a<U+E0041>b');
  });

  it.each(NAMES)('a %s does not get through print, notes, documents or a poured export', async (_name, text) => {
    const { output, written } = terminal();
    output.print(`name ${text} ${output.style('red', `red ${text}`)}`);
    output.note(`name ${text}`);
    output.document({ name: text });
    await output.pour(
      (async function* () {
        yield `{"name":"${text}"}\r\n`;
      })(),
    );
    const { out, err } = written;
    for (const each of [out, err]) {
      const left = each.replaceAll('\u001b[31mred', 'red').replaceAll('\u001b[39m', '').replaceAll('\n', '');
      expect(left).not.toMatch(UNSAFE);
    }
    expect(out).toContain('\u001b[31mred');
  });

  it('escapes a color code in a name, even one that our own style uses', () => {
    const { output, written } = terminal();
    const red = output.style('red', 'ours');
    output.print(`\u001b[31mtheirs\u001b[39m ${red} ${output.style('red', 'a\u001b[39mb\u001b[31mc')}`);
    const theirs = '<U+001B>[31mtheirs<U+001B>[39m';
    expect(written.out).toBe(`${theirs} \u001b[31mours\u001b[39m \u001b[31ma<U+001B>[39mb<U+001B>[31mc\u001b[39m\n`);
  });

  it('nested and repeated styles stay unchanged', () => {
    const { output, written } = terminal();
    output.print(output.style(['bold', 'red'], `a ${output.style('underline', 'b')}`));
    expect(written.out).toBe('\u001b[1m\u001b[31ma \u001b[4mb\u001b[24m\u001b[39m\u001b[22m\n');
  });

  it('styles do not change the width of a text', () => {
    expect(stringWidth(terminal().output.style('red', 'four'))).toBe(4);
  });

  it('without colors, no escape sequence is written', () => {
    const { output, written } = terminal(false);
    output.print(`a\u001b[31mb ${output.style('red', 'c')}`);
    expect(written.out).not.toContain('\u001b');
  });

  it('an export to a file or a pipe keeps its data, and JSON keeps its meaning', async () => {
    const { output, written } = terminal(false);
    await output.pour(
      (async function* () {
        yield 'a\u202eb,\tc\r\n';
      })(),
    );
    expect(written.out).toBe('a\u202eb,\tc\r\n');
    const all = { text: Object.values(HIDDEN).join('') };
    expect(jsonAscii(JSON.stringify(all))).not.toMatch(UNSAFE);
    expect(JSON.parse(jsonAscii(JSON.stringify(all)))).toEqual(all);
  });

  it('removes everything unsafe from any text, and different texts stay different', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(UNSAFE);
        expect(visibleLines(text).replaceAll('\n', '')).not.toMatch(UNSAFE);
        expect(JSON.parse(jsonAscii(JSON.stringify(text)))).toBe(text);
      }),
    );
  });
});

describe('names, reasons and tags', () => {
  const nasty = 'x\u202ey\u200bz\n$ rm -rf\u001b[2J';

  it('in tables and lines', () => {
    expect(oneLine(nasty)).toBe('x<U+202E>y<U+200B>z $ rm -rf [2J');
    for (const line of table([{ title: 'NAME', shrinks: true }], [[nasty]], 20)) expect(line).not.toMatch(UNSAFE);
    expect(shorten(oneLine(nasty), 12)).toBe('x<U+202E>y<…');
  });

  it('of halts, suspensions and approvals', () => {
    const at = '2026-11-02T09:00:00.000Z';
    const lines = [
      ...haltText({ at, by: nasty, reason: nasty }, 1, {
        style: (_format, text) => text,
        width: 80,
        program: 'rollcall',
      }),
      suspensionText({ selector: `name:${nasty}`, until: null, by: nasty, reason: nasty, at, accounts: null }),
      approvalText({ planHash: 'a'.repeat(64), actor: nasty, reason: nasty, at, expiresAt: at }),
    ];
    for (const line of lines) expect(line).not.toMatch(UNSAFE);
  });

  it('in error messages, on one line', () => {
    const lines = reportLines(reportOf(new Error(nasty)));
    expect(lines).toHaveLength(1);
    for (const line of lines) expect(line).not.toMatch(UNSAFE);
  });

  it('in log lines, as sentences and as JSON', () => {
    const { output, written } = terminal(false);
    cliLogger(output, { now: () => 0, sleep: async () => undefined }, false).warn(nasty, { message: nasty });
    const lines: string[] = [];
    jsonLogger({ level: 'debug', clock: { now: () => 0 }, write: (line) => lines.push(line) }).info(nasty, {
      [nasty]: nasty,
    });
    expect(`${written.err.trimEnd()}${lines.join('')}`).not.toMatch(UNSAFE);
  });

  it('with the reason, which an error in the fields has', () => {
    const { output, written } = terminal(false);
    const log = cliLogger(output, { now: () => 0, sleep: async () => undefined }, false);
    log.error('a request failed', { error: new Error('the disk is full'), path: '/api/status' });
    expect(written.err).toBe('error: a request failed: the disk is full\n');
  });

  it('in the webhook’s text', () => {
    const [entry] = sealAll('111122223333', [
      draft({ chain: '111122223333', type: 'DriftDetected', reason: nasty, detail: { message: nasty } }),
    ]);
    const { text } = digestOf('d', 'o-1', entry === undefined ? chainOf('x', 1) : [entry]);
    expect(text.replaceAll('\n', '')).not.toMatch(UNSAFE);
    expect(text).toContain('&lt;U+202E&gt;');
  });
});

describe('a policy that init writes', () => {
  it('names an OU safely for a terminal and still matches the OU', () => {
    const ou = '/x\u202ey\u200b\u{e0041}';
    const inside = ['222222222222', '333333333333'];
    const outside = ['444444444444', '555555555555', '666666666666'];
    const facts = (id: string) => ({ id, name: 'n\u202e', state: 'ACTIVE' as const, management: false, tags: {} });
    const observed = (computeOptimizer: 'Active' | 'Inactive') => ({
      computeOptimizer,
      automation: null,
      costOptimizationHub: null,
      ruleMode: null,
    });
    const text = initPolicy({
      now: 0,
      managementAccountId: '111111111111',
      accounts: [...inside.map((id) => ({ ...facts(id), ou })), ...outside.map((id) => ({ ...facts(id), ou: '/' }))],
      observed: new Map([
        ...inside.map((id) => [id, observed('Inactive')] as const),
        ...outside.map((id) => [id, observed('Active')] as const),
      ]),
    });
    expect(text.replaceAll('\n', '')).not.toMatch(UNSAFE);
    expect(JSON.stringify(parseYaml(text))).toContain(JSON.stringify(ou).slice(1, -1));
  });
});
