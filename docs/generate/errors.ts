import { code, page, table, withCommands } from './markdown.ts';
import { type Explanation, STORE_ERRORS } from './store-errors.ts';

const YOUR_INPUT: Readonly<Record<string, Explanation>> = {
  Usage: [
    'unknown command …; unknown option …; … expected …',
    'The command line has a wrong argument or option.',
    'The message says what was expected; rollcall help COMMAND shows all options.',
  ],
  PackagesMissing: [
    'there are no packages in …',
    'The folder that `install` reads lacks packages of the functions.',
    'Build them in a checkout with `npm ci && npm run package`, and name the folder `.serverless` with `--packages`.',
  ],
  FileError: [
    '… cannot be read (ENOENT)',
    'A file is missing, not readable, or not a regular file.',
    'Correct the path. Pipes are refused, except stdin as `-`.',
  ],
  Environment: [
    '… is …; expected …',
    'An environment variable has a wrong value.',
    'Correct or remove the variable; [configuration](configuration.md#environment) lists them.',
  ],
  AccountUnknown: [
    'account … is not known in …',
    'The id or name is wrong, or the account joined after the last scan.',
    'Check it, then: rollcall scan',
  ],
  ActorAmbiguous: [
    '--actor "…": 2 actors have this name',
    'A name in a list is shorter than the full name, so several actors may have it.',
    'Use one of the full names that the message lists.',
  ],
  AccountAmbiguous: [
    'account "…": 2 accounts have this name',
    'Names of accounts are not unique in AWS.',
    'Use one of the ids that the message lists.',
  ],
  EntryUnknown: [
    'There is no entry …',
    'The id is wrong, or the entry was pruned.',
    'Take an id from: rollcall audit list',
  ],
  IdAmbiguous: [
    '… is the end of 2 entries: …',
    'The short id fits several entries or dead letters.',
    'Give more characters; the message lists the matches.',
  ],
  DeadLetterUnknown: [
    'There is no dead letter …',
    'It was redriven or has expired.',
    'To list them: rollcall dlq list',
  ],
  SelectorMatchesNothing: [
    'suspend …: no account matches',
    'The selector fits no account of the last scan.',
    'Check the spelling; OU paths begin with /.',
  ],
  TooManySuspensions: [
    'There are too many suspensions, or one names too many accounts.',
    'Too many separate suspensions are in force.',
    'Suspend an OU or a tag instead of single accounts.',
  ],
  NotSuspended: [
    '… is not suspended',
    'No suspension covers what you named.',
    'rollcall status lists the suspensions.',
  ],
  NotHalted: ['changes are not halted', 'There is nothing to resume.', 'Nothing; name accounts to end a suspension.'],
  ConfirmationMissing: [
    'COMMAND asks …, and this is not a terminal',
    'A script runs a command that asks for confirmation: apply, restore or resume.',
    'Check first (apply: the plan; restore: the backup; resume: the plan), then add --yes.',
  ],
  DigestInvalid: [
    '--digest …: there is no digest in that file',
    'The file has no DigestPublished event.',
    'Give the events as JSON, one document or one a line, or the root as 64 hexadecimal digits.',
  ],
  DigestUnknown: [
    '… has no DigestPublished entry with the root …',
    'The digest is of another store, was pruned, or the store was altered.',
    'Compare the store with the event itself and with a backup.',
  ],
  CheckpointMissing: [
    'no checkpoint has been signed, because no key is configured; no checkpoint is signed',
    'No key is configured, no checkpoint has been signed yet, or signing failed; the message says which.',
    'Create a key with `rollcall audit checkpoint --new-key FILE`, or remove the cause that the message names.',
  ],
  CheckpointKey: [
    'checkpoint key …: its permissions are …; the key is damaged; …',
    'The key in ROLLCALL_CHECKPOINT_KEY cannot be used, or a new one cannot be written.',
    'The message says what was expected and how to correct it.',
  ],
  CheckpointKeyUnknown: [
    'this command does not know the key that signs checkpoints',
    'ROLLCALL_CHECKPOINT_KEY is not set for this command, and the store does not contain the key.',
    'Set the variable to the same value as for the processes that sign checkpoints.',
  ],
  CheckpointInvalid: [
    '--checkpoint …: it is not a signed checkpoint',
    'The file is empty, truncated or changed, or it is not a checkpoint.',
    'Get it again from the place where it was kept; a copy must have every byte.',
  ],
  CheckpointKeyInvalid: [
    '--key …: it is not the public key of a log',
    'The file has another kind of key, or the verifier key is misspelled.',
    'Use the public key in PEM or the verifier key; `rollcall audit checkpoint --key` prints both.',
  ],
  EntryNotCovered: [
    'no checkpoint covers entry … of … yet',
    'The entry is newer than the newest signed checkpoint.',
    'Wait for the next one; the message says when it is signed, or why not.',
  ],
  ProofInvalid: [
    '--verify …: it is not a proof; --entry …: it has no entry of the audit log',
    'The file is empty, truncated or changed, or it is not a proof or an entry.',
    'Make it again with `rollcall audit proof` or `rollcall audit show ENTRY --json`.',
  ],
  EvidenceTooLarge: [
    'The evidence of this period does not fit into a ZIP file …',
    'A ZIP file without extensions holds at most 4 GiB and 65,534 files.',
    'Choose shorter periods, and pack several ZIP files.',
  ],
  TagsUnreadable: [
    'The policy uses tags, but AWS did not return usable tags of account …',
    'Tags cannot be read with these credentials.',
    'Try again, or describe the account with --attributes.',
  ],
};

const POLICY: Readonly<Record<string, Explanation>> = {
  PolicyMissing: [
    'There is no rollcall.yaml in this directory.',
    'The command needs a policy.',
    'rollcall policy init writes one; --policy names another file.',
  ],
  PolicyInvalid: [
    'rollcall.yaml has 2 errors; nothing was done',
    'The policy file is wrong. The findings above name line, found and expected.',
    'Correct them, then: rollcall policy validate',
  ],
  PlanInvalid: [
    'plan.json cannot be used: …',
    'The file is not a saved plan, or was changed.',
    'Make a new plan: rollcall plan',
  ],
  PlanOutdated: [
    '… was made for another policy; the plan is for organization …',
    'Policy or credentials have changed since the plan was made.',
    'Make a new plan, or use the other credentials.',
  ],
  PlanApplied: [
    'plan.json was applied at …',
    'None of its changes is left, or it was first applied more than 24 hours ago. If all its changes waited for a change window, the 24 hours begin when the window opens. It does not cover drift that began after it was first applied.',
    'Make a new plan: rollcall plan',
  ],
  PlanUnknown: [
    'No stored plan begins with …',
    'The hash is wrong, or no run has stored this plan. rollcall apply and rollcall serve store the plans that need an approval; rollcall plan stores none.',
    'The output of rollcall apply shows the hash, and rollcall status shows that of a stopped plan.',
  ],
  PlanAmbiguous: ['Several stored plans begin with …', 'The hash is too short.', 'Give more digits.'],
  PlanNotApprovable: [
    'Plan … cannot be approved: it is held up by …',
    'maxOptOuts or minCoverage stops the plan, and no approval lifts these.',
    'The message says what to change in the policy.',
  ],
  PlanAlreadyApproved: [
    'Plan … is already approved by …',
    'Somebody else has approved it.',
    'Nothing; the next run uses that approval.',
  ],
  ApprovalUsed: [
    'Plan … was approved and used',
    'Each approval is for one run.',
    'Let the next scan make a new plan, and approve that.',
  ],
};

const CREDENTIALS: Readonly<Record<string, Explanation>> = {
  ProfileMissing: [
    'the AWS profile … does not exist in …',
    'AWS_PROFILE names a profile that is neither in the config file nor in the credentials file of AWS.',
    'Correct AWS_PROFILE; `aws configure list-profiles` lists the profiles.',
  ],
  RegionMissing: [
    'no AWS Region is set',
    'Neither AWS_REGION nor the profile names a Region.',
    '`export AWS_REGION=us-east-1`',
  ],
  RegionMalformed: ['… is not the name of a Region', 'AWS_REGION is misspelled.', 'Correct it.'],
  SsoSessionExpired: [
    'the AWS session of profile … has expired',
    'The SSO sign-in has expired.',
    '`aws sso login --profile PROFILE`',
  ],
  CredentialsProviderError: [
    'Could not load credentials from any providers',
    'The AWS SDK finds no credentials.',
    'Set AWS_PROFILE, or sign in. rollcall doctor shows what was found.',
  ],
  AccessDeniedException: [
    '… is not authorized to perform …',
    'A permission is missing, or a policy denies the call.',
    'Compare with [permissions](permissions.md); rollcall doctor prints the command.',
  ],
  NotOrganizationCaller: [
    'Account … is neither the management account of … nor its delegated administrator',
    'The account is neither the management account nor the delegated administrator.',
    'Use the credentials of one of them.',
  ],
  OtherOrganization: [
    'this store belongs to another organization; nothing was written',
    'The credentials are for another organization than the store.',
    'Use the other credentials, or another store with --data-dir.',
  ],
  ECONNREFUSED: [
    'no connection to …',
    'Nothing answers at that address: no network, a wrong Region, proxy or AWS_ENDPOINT_URL.',
    'The message names host and proxy. Correct AWS_REGION, AWS_ENDPOINT_URL, HTTPS_PROXY or NO_PROXY.',
  ],
  ENOTFOUND: [
    'no connection to …: The host does not exist',
    'The name cannot be resolved: no DNS, or a wrong Region.',
    'The same as for ECONNREFUSED.',
  ],
  ThrottlingException: [
    '…: ThrottlingException',
    'AWS throttled a call until its retries were used up.',
    'Wait until other programs that call AWS have finished, or set limits.callsPerSecond lower.',
  ],
  IncompleteAnswer: [
    '… lacks …',
    'AWS or a proxy reported success, but the answer lacks its data.',
    'Run the command again; check the proxy.',
  ],
  UnexpectedAnswer: [
    '… answered with something else',
    'The server at AWS_ENDPOINT_URL is not an AWS service, or a listing is broken.',
    'Check AWS_ENDPOINT_URL, then run the command again.',
  ],
  TooManyAccounts: [
    'The organization has … accounts',
    'There are more accounts than ROLLCALL_MAX_ACCOUNTS allows.',
    'Raise ROLLCALL_MAX_ACCOUNTS if the number is right.',
  ],
  Interrupted: ['Interrupted', 'Ctrl-C ended the run. Every result is recorded.', 'Run the command again.'],
};

const SERVE: Readonly<Record<string, Explanation>> = {
  PortInUse: [
    'Port 4570 is in use.',
    'Another process listens there.',
    'Choose another with --port; --port 0 takes a free one.',
  ],
  PortRefused: [
    'Cannot listen on port …',
    'The operating system refuses the port or address.',
    'Choose another --port or --host.',
  ],
  TokenNeeded: [
    'Another host than loopback needs a token',
    'serve --host would offer the API to a network without authentication.',
    'Set ROLLCALL_TOKEN_READ or ROLLCALL_TOKEN_OPERATE.',
  ],
};

const SECTIONS: readonly (readonly [title: string, errors: Readonly<Record<string, Explanation>>])[] = [
  ['Credentials and connection', CREDENTIALS],
  ['Policy, plan and approval', POLICY],
  ['Arguments and files', YOUR_INPUT],
  ['The store', STORE_ERRORS],
  ['The daemon and the sandbox', SERVE],
];

/** Every code that the page explains. */
export const EXPLAINED_ERRORS: ReadonlySet<string> = new Set(SECTIONS.flatMap(([, errors]) => Object.keys(errors)));

/** Troubleshooting: every error with its cause and fix, by message. */
export function errorsPage(): string {
  return page('Errors', 'docs/generate/errors.ts', [
    'An error says what happened, with the facts and the fix. With `--output json` it is `{"error":{"code","message"}}`; scripts should compare the code, because',
    'messages can change. Messages are shortened: `…` stands for names and numbers. Errors of the HTTP API are described in [HTTP API](api.md).',
    '',
    'Codes that are not here come from AWS, such as `AccessDenied`, `ExpiredToken` or `ServiceUnavailable`; the message has the operation and the request id.',
    'Reasons of single accounts are in [statuses and reasons](statuses.md).',
    '',
    ...SECTIONS.flatMap(([title, errors]) => [
      `## ${title}`,
      '',
      ...table(
        ['message', 'code', 'cause', 'fix'],
        Object.entries(errors).map(([name, [message, cause, fix]]) => [message, code(name), cause, withCommands(fix)]),
      ),
    ]),
  ]);
}
