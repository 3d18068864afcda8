import type { Environment } from './config.ts';

/** What `doctor` is told by the environment: taken as it is, for what is missing is one of its findings and no reason to stop. */
export interface DoctorEnv {
  readonly profile: string | null;
  /** The variable that says where AWS is to be found, if it is not where it always is. */
  readonly endpointVariable: string | null;
  readonly table: string | null;
  readonly queueUrl: string | null;
  readonly dlqUrl: string | null;
  readonly eventBus: string | null;
  /** `AWS_ENDPOINT_URL_SQS`, which the SDK by itself ignores for a queue's URL. */
  readonly sqsEndpoint: string | null;
}

export function readDoctorEnv(env: Environment): DoctorEnv {
  // An empty variable is how templates say "not set".
  const given = (name: string): string | null => env[name] || null;
  return {
    profile: given('AWS_PROFILE'),
    // What the first question, who the caller is, is sent to.
    endpointVariable: ['AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL'].find((name) => given(name) !== null) ?? null,
    table: given('ROLLCALL_TABLE'),
    queueUrl: given('ROLLCALL_QUEUE_URL'),
    dlqUrl: given('ROLLCALL_DLQ_URL'),
    eventBus: given('ROLLCALL_EVENT_BUS'),
    sqsEndpoint: given('AWS_ENDPOINT_URL_SQS'),
  };
}
