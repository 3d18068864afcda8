import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export type Step =
  | { readonly file: string; readonly name: string }
  | { readonly args: readonly string[]; readonly line: string; readonly code: number | null };

const COMMAND = /^rollcall (?<args>.*?) *(?:# (?:exit (?<code>\d))?.*)?$/;

/** The steps of a tutorial, from top to bottom: policy files to write, and shell commands with the documented exit code of those of `rollcall`. */
export function stepsOf(tutorial: string): readonly Step[] {
  const page = readFileSync(resolve(import.meta.dirname, '../../../docs/tutorials', tutorial), 'utf8');
  return [...page.matchAll(/^```(sh|yaml)\n(.+?)^```$/gms)].flatMap(([, kind, body = '']): Step[] => {
    if (kind === 'yaml') return [{ file: body, name: /^# (\S+)\n/.exec(body)?.[1] ?? 'rollcall.yaml' }];
    return body
      .trim()
      .split('\n')
      .map((line) => {
        const { args = '', code } = COMMAND.exec(line)?.groups ?? {};
        // Words, or quoted text.
        const words = [...args.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
        return { args: words, line, code: code === undefined ? null : Number(code) };
      });
  });
}
