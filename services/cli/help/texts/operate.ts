import type { HelpTexts } from '../help-text.ts';

export const OPERATE: HelpTexts = {
  install: {
    summary: 'Install Rollcall for an organization in AWS',
    description:
      'Install Rollcall for an organization in AWS: shows what it would create, asks, uploads the packages, deploys one CloudFormation stack, and checks it. Safe to repeat; an update keeps the parameters that you do not name. Run it with the credentials of the account that Rollcall runs in. If that is not the management account, run it again with the credentials of the management account and --account.',
    examples: [
      ['rollcall install --external-id 0f3a…', 'in the account of the credentials'],
      ['rollcall install --external-id 0f3a… --account 123456789012', 'in the management account'],
      ['rollcall install --template rollcall.template.json', 'write the template, change nothing'],
    ],
    seeAlso: ['rollcall doctor', 'rollcall policy init'],
  },
  backup: {
    summary: 'Copy the store to a file; works while the store is in use',
    examples: [['rollcall backup rollcall-2026-12-08.db', 'an existing file is not replaced']],
    seeAlso: ['rollcall restore'],
  },
  restore: {
    summary: 'Replace the store with a backup, and halt',
    description:
      'Replace the store with a backup, and halt. It asks first; without a terminal, it replaces a store only with --yes. The replaced store is kept as a copy. Its suspensions, changes in progress and contested accounts stay in force. --acknowledge records that the store was restored in another way, such as point-in-time recovery of the table, and halts. The transparency log then continues under a new name, and checkpoints are signed again.',
    examples: [
      ['rollcall restore rollcall-2026-12-08.db', 'then: rollcall audit verify, rollcall resume'],
      ['rollcall restore rollcall-2026-12-08.db --yes', 'do not ask; for jobs without a terminal'],
      ['rollcall restore --acknowledge --reason "table as of 06:00"', 'a store that AWS has restored'],
    ],
    seeAlso: ['rollcall backup', 'rollcall resume'],
  },
  sandbox: {
    summary: 'Serve a simulated AWS organization',
    description:
      'Serve a simulated AWS organization: prints one JSON line when ready, and ends on Ctrl-C. The same seed gives the same organization.',
    examples: [
      ['rollcall sandbox --accounts 120 --seed 5', 'a small organization'],
      ['rollcall sandbox --scenario demo', 'a preset of the other options'],
    ],
    notes: [
      'To use it from another terminal, with "endpoint" and "managementAccountId" from',
      'the JSON line:',
      '  export AWS_ENDPOINT_URL=http://127.0.0.1:4570 AWS_REGION=eu-west-1',
      '  export AWS_ACCESS_KEY_ID=<managementAccountId> AWS_SECRET_ACCESS_KEY=any',
    ],
    seeAlso: ['rollcall demo'],
  },
  completion: {
    summary: 'Print a completion script for bash, zsh or fish',
    description:
      'Print a completion script for bash, zsh or fish. It completes commands, options, statuses, entry types, and the ids and names of accounts from the store.',
    examples: [
      ['source <(rollcall completion bash)', 'in ~/.bashrc'],
      // The braces are the shell's.
      [`rollcall completion zsh > "$\{fpath[1]}/_rollcall"`, 'then start a new shell'],
      ['rollcall completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
  },
  version: {
    summary: 'Print the version',
    examples: [['rollcall version -o json', 'versions of Rollcall and Node.js']],
  },
  help: {
    summary: 'Show help for a command or a topic',
    examples: [
      ['rollcall help audit list', 'same as rollcall audit list --help'],
      ['rollcall help statuses', 'what each status means'],
    ],
  },
};
