import { HELP } from './texts/index.ts';

/** The commands of `rollcall --help`, by task. Commands that are not registered are left out. */
const GROUPS: readonly (readonly [title: string, commands: readonly string[]])[] = [
  ['Get started', ['demo', 'doctor', 'policy']],
  ['See the organization', ['scan', 'status', 'accounts', 'account']],
  ['Fix drift', ['plan', 'apply', 'serve', 'approve', 'dlq']],
  ['Stop and resume', ['halt', 'suspend', 'resume']],
  ['Prove what happened', ['audit', 'evidence']],
];
/** The group whose commands are only named. */
const OPERATE = ['install', 'backup', 'restore', 'sandbox', 'completion', 'version', 'help'];

/** Commands that `rollcall --help` names. Others should be hidden. */
export const LISTED: readonly string[] = [...GROUPS.flatMap(([, commands]) => commands), ...OPERATE];

export const SLOGAN =
  'Keep every account of an AWS Organization enrolled as your policy declares. Detect drift, fix it within limits, and prove what was changed.';

const GLOBAL_OPTIONS = `Options for every command
  -o, --output <format>  json (or --json); COMMAND --help lists others
      --store <kind>     embedded (default) or aws           ROLLCALL_STORE
      --data-dir <dir>   default: .rollcall                  ROLLCALL_DATA_DIR
  -q, --quiet            no progress, no hints
      --verbose          details and AWS calls on stderr
      --no-color         plain text              -h, --help  help for a command`;

/** The width of a command's name in the list, with the gap after it. */
const NAME_WIDTH = 13;

/** The help of `rollcall` without a command, after the slogan. @param registered the commands that exist */
export function overview(registered: ReadonlySet<string>, topics: readonly string[]): string[] {
  const groups = GROUPS.map(([title, commands]) => {
    const lines = commands
      .filter((name) => registered.has(name))
      .map((name) => `  ${name.padEnd(NAME_WIDTH)}${HELP[name]?.summary ?? ''}`);
    return lines.length === 0 ? [] : [title, ...lines];
  });
  const named = OPERATE.filter((name) => registered.has(name));
  const blocks = [
    ['Usage: rollcall <command> [options]'],
    ...groups,
    ['Operate', `  ${named.join(', ')}`],
    GLOBAL_OPTIONS.split('\n'),
    [`More: rollcall help ${topics.join(' | ')}`],
  ];
  return blocks.filter((block) => block.length > 0).flatMap((block) => ['', ...block]);
}
