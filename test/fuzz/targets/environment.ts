import {
  accountArgument,
  countArgument,
  durationArgument,
  instantArgument,
  numberArgument,
  untilArgument,
  wordArgument,
} from '../../../shared/config/arguments.ts';
import { readAttributes } from '../../../shared/config/attributes.ts';
import { readAwsEnv, readAwsStoreEnv } from '../../../shared/config/aws-env.ts';
import { readCheckpointEnv } from '../../../shared/config/checkpoint-env.ts';
import { readConfig } from '../../../shared/config/config.ts';
import { ConfigError } from '../../../shared/config/config-error.ts';
import { readTracing } from '../../../shared/config/tracing-env.ts';
import type { Chance } from '../chance.ts';
import { anyJson, jsonText, mutateTexts } from '../mutate.ts';
import { type Read, type Target, take } from '../target.ts';
import { closed, NOW } from './documents.ts';

const ENV: Readonly<Record<string, string>> = {
  ROLLCALL_TABLE: 'rollcall-prod',
  ROLLCALL_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/rollcall',
  ROLLCALL_DLQ_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/rollcall-dead',
  ROLLCALL_EVENT_BUS: 'arn:aws:events:eu-central-1:111122223333:event-bus/rollcall',
  ROLLCALL_POLICY: 's3://bucket/key.yaml',
  ROLLCALL_CHECKPOINT_KEY: 'awskms:arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  ROLLCALL_CHECKPOINT_ARCHIVE: 's3://bucket/prefix/more',
  ROLLCALL_CHECKPOINT_ARCHIVE_OWNER: '111122223333',
  ROLLCALL_CHECKPOINT_WITNESSES:
    'witness.example/w1+f5f1ad4c+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH@https://witness.example/w1/,w2+ecb54097+BAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH@http://127.0.0.1:1',
  ROLLCALL_STAGE: 'prod',
  ROLLCALL_LOG_LEVEL: 'info',
  AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:4566',
  LAMBDA_TASK_ROOT: '/var/task',
  TERM: 'dumb',
  FORCE_COLOR: '1',
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
  OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
  OTEL_TRACES_SAMPLER: 'traceidratio',
  OTEL_TRACES_SAMPLER_ARG: '0.5',
};

const NAMES = Object.keys(ENV);

const isConfigError = (error: unknown) =>
  error instanceof ConfigError && error.message.length > 10 && error.message.length < 100_000;

/** An environment with some variables missing, changed or swapped. */
function environmentCase(chance: Chance): Read {
  const env: Record<string, string> = { ...ENV };
  for (let n = chance.below(3); n >= 0; n -= 1) {
    const name = NAMES[chance.below(NAMES.length)] ?? '';
    if (chance.oneIn(5)) delete env[name];
    else
      env[name] = chance.oneIn(6)
        ? (ENV[NAMES[chance.below(NAMES.length)] ?? ''] ?? '')
        : mutateTexts(env[name] ?? '', chance);
  }
  const store = chance.oneIn(4) ? mutateTexts('embedded', chance) : 'aws';
  return take(
    jsonText(env),
    () => {
      readConfig({ json: false, store, dataDir: env['TERM'] ?? '', verbose: false, color: true }, env);
      readAwsStoreEnv(env);
      readAwsEnv(env);
      readCheckpointEnv(env);
      readTracing(env);
    },
    isConfigError,
  );
}

const ARGUMENTS: readonly [(text: string) => unknown, ...((text: string) => unknown)[]] = [
  (text) => durationArgument('--wait', text),
  (text) => countArgument('--limit', text, { min: 1, max: 1_000 }),
  (text) => numberArgument('--rate', text, { min: 0, max: 10 }),
  (text) => instantArgument('--since', text, NOW),
  (text) => untilArgument('--until', text, NOW),
  (text) => accountArgument('--account', text),
  (text) => wordArgument('--format', text, ['json', 'csv']),
  (text) => readAttributes(text.replace(/^@/, '')),
];

const TYPED = [
  '60s',
  '1h30m',
  '7d',
  '2026-03-01',
  '2026-03-01T12:00:00Z',
  '2027-12-31',
  '100',
  '0.5',
  '123456789012',
  'json',
  '{"name":"a","ou":"/A"}',
] as const;

export const environmentTarget: Target = {
  name: 'environment',
  share: 10,
  open: async () => ({
    make: (chance) => {
      if (chance.oneIn(2)) return environmentCase(chance);
      const text = chance.oneIn(6) ? jsonText(anyJson(chance)) : mutateTexts(chance.pick(TYPED), chance);
      const read = chance.pick(ARGUMENTS);
      return take(text, () => read(text), isConfigError);
    },
    corpus: [],
    ...closed,
  }),
};
