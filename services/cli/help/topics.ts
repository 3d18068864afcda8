import { STATUS_MEANINGS } from '../../../shared/domain/enrollment/explain-status.ts';
import { STATUSES } from '../../../shared/domain/enrollment/status.ts';
import { hang, wrap } from '../ui/wrap.ts';
import type { TopicName } from './topic-names.ts';

const WIDTH = 80;

/** Terms with their explanations. */
type Rows = readonly (readonly [term: string, text: string])[];

export const EXIT_CODES: Rows = [
  ['0', 'Success: nothing to change, or every change is confirmed or waits for AWS to confirm it.'],
  [
    '1',
    'Error: usage, policy or credentials are wrong, or AWS or the store is unreachable. Also: you did not confirm.',
  ],
  ['2', 'Drift found (plan, scan, status), even if a guardrail would stop apply.'],
  [
    '3',
    'Partly done (apply): some accounts are still to be fixed, need attention or wait, or there are dead letters. Also plan, scan, status: the status of some accounts is unknown; status: there are dead letters, or no scan has finished; policy init: some accounts could not be read in full; dlq redrive: some dead letters remain; install: a check failed.',
  ],
  ['4', 'Stopped by a guardrail or the kill switch, before or during changes.'],
  [
    '130',
    'Interrupted by Ctrl-C; every result is recorded (sandbox: 0). 143: ended by SIGTERM (serve and sandbox: 0).',
  ],
];

const ROLLCALL: Rows = [
  ['ROLLCALL_POLICY', 'Default of --policy.'],
  ['ROLLCALL_STORE', 'Default of --store: embedded or aws.'],
  ['ROLLCALL_DATA_DIR', 'Default of --data-dir: the folder of the embedded store.'],
  ['ROLLCALL_TABLE', 'DynamoDB table (--store aws).'],
  ['ROLLCALL_QUEUE_URL', 'SQS queue (--store aws).'],
  ['ROLLCALL_DLQ_URL', 'SQS dead-letter queue (--store aws).'],
  ['ROLLCALL_EVENT_BUS', 'EventBridge bus (--store aws).'],
  ['ROLLCALL_TOKEN_READ', 'Tokens that may read the API and the dashboard (serve).'],
  ['ROLLCALL_TOKEN_OPERATE', 'Tokens that may also operate (serve).'],
  ['ROLLCALL_TOKEN_EVENTS', 'Tokens that may send CloudTrail events (serve).'],
  ['ROLLCALL_MAX_ACCOUNTS', 'Refuse larger organizations (default: 10000).'],
];

const CHECKPOINTS: Rows = [
  ['ROLLCALL_CHECKPOINT_KEY', 'Key that signs checkpoints: a file, or awskms: and a KMS key.'],
  ['ROLLCALL_CHECKPOINT_ARCHIVE', 'Bucket that keeps checkpoints: s3://BUCKET/PREFIX.'],
  ['ROLLCALL_CHECKPOINT_ARCHIVE_OWNER', 'Account that the bucket must belong to.'],
  ['ROLLCALL_CHECKPOINT_WITNESSES', 'Witnesses that cosign checkpoints: KEY@https://HOST, separated by commas.'],
];

const AWS: Rows = [
  ['AWS_PROFILE', 'Profile of the AWS configuration files.'],
  ['AWS_REGION', 'Region, also AWS_DEFAULT_REGION.'],
  ['AWS_ACCESS_KEY_ID', 'Access key, with AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.'],
  ['AWS_ENDPOINT_URL', 'Another address for AWS, such as the sandbox; also AWS_ENDPOINT_URL_SQS and others.'],
  ['AWS_CA_BUNDLE', 'File with certificates of additional authorities.'],
  ['HTTPS_PROXY', 'Proxy for AWS and the webhook, also HTTP_PROXY.'],
  ['NO_PROXY', 'Hosts that are reached without the proxy.'],
];

const TRACES: Rows = [
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'Collector for traces (OTLP over HTTP). Turns tracing on.'],
  ['OTEL_TRACES_EXPORTER', 'otlp turns tracing on, none turns it off.'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'Headers for the collector, such as a token.'],
  ['OTEL_SERVICE_NAME', 'Default: rollcall. Also OTEL_RESOURCE_ATTRIBUTES.'],
  ['OTEL_TRACES_SAMPLER', 'Which runs are traced, with OTEL_TRACES_SAMPLER_ARG; default: all.'],
];

const DISPLAY: Rows = [
  ['NO_COLOR', 'Any value turns colors off; TERM=dumb does, too.'],
  ['FORCE_COLOR', 'Any value except 0 turns colors on, also without a terminal.'],
  ['LC_ALL, LC_CTYPE, LANG', 'Symbols are plain ASCII if the locale is set and is not UTF-8.'],
];

/** Environment variables by purpose. */
export const ENVIRONMENT: readonly (readonly [title: string, rows: Rows])[] = [
  ['Rollcall', ROLLCALL],
  ['Signed checkpoints', CHECKPOINTS],
  ['AWS and network', AWS],
  ['Traces', TRACES],
  ['Display', DISPLAY],
];

export const FILES: Rows = [
  ['rollcall.yaml', 'The policy (--policy). rollcall policy init writes a first one.'],
  ['rollcall.test.yaml', 'Expectations of the policy, for rollcall policy test.'],
  ['rollcall.schema.json', 'The JSON Schema of policies, for editors: rollcall policy schema.'],
  [
    '.rollcall/',
    'The embedded store (--data-dir): statuses, queue and audit log of one organization. Keep it, and back it up with rollcall backup.',
  ],
  ['plan.json', 'A saved plan: rollcall plan --out, rollcall apply --plan.'],
  ['~/.aws/', 'Profiles and credentials of the AWS SDK and the AWS CLI.'],
];

/** The text of a topic. */
export function topicText(topic: TopicName): string[] {
  switch (topic) {
    case 'statuses':
      return [
        'Every account has one status for each enrollment kind.',
        ...STATUSES.flatMap((status) => {
          const { meaning, todo } = STATUS_MEANINGS[status];
          return ['', status, ...paragraph(meaning), ...paragraph(`To do: ${todo}`)];
        }),
        '',
        ...wrap('See also: rollcall status, rollcall accounts, rollcall account', WIDTH, 2),
      ];
    case 'exit-codes':
      return [
        'The exit code says what a command found, for scripts.',
        ...list('Exit codes:', EXIT_CODES),
        '',
        'Where stderr is not a terminal, its last line names the code, except with',
        '--quiet or json:',
        '  rollcall: exit code 2 (drift found)',
      ];
    case 'environment':
      return [
        'Options on the command line override environment variables.',
        ...ENVIRONMENT.flatMap(([title, rows]) => list(`${title}:`, rows)),
      ];
    case 'files':
      return ['Files that Rollcall reads and writes.', ...list('Files:', FILES)];
  }
}

const paragraph = (text: string): string[] => hang('  ', text, WIDTH);

function list(title: string, rows: Rows): string[] {
  const start = 2 + Math.max(...rows.map(([term]) => term.length)) + 2;
  return ['', title, ...rows.flatMap(([term, text]) => hang(`  ${term}`.padEnd(start), text, WIDTH, start))];
}
