import type { Environment } from './config.ts';

/** The environment of `doctor`, unchecked: a missing variable is one of its findings, not a reason to stop. */
export interface DoctorEnv {
  readonly profile: string | null;
  /** The variable that overrides the AWS endpoint; `null`: none. */
  readonly endpointVariable: string | null;
  readonly table: string | null;
  readonly queueUrl: string | null;
  readonly dlqUrl: string | null;
  readonly eventBus: string | null;
  /** `AWS_ENDPOINT_URL_SQS`: the SDK itself ignores it and uses the host of the queue's URL. */
  readonly sqsEndpoint: string | null;
}

export function readDoctorEnv(env: Environment): DoctorEnv {
  // Templates use an empty variable for "not set".
  const given = (name: string): string | null => env[name] || null;
  return {
    profile: given('AWS_PROFILE'),
    // The first call, which identifies the caller, goes to this endpoint.
    endpointVariable: ['AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL'].find((name) => given(name) !== null) ?? null,
    table: given('ROLLCALL_TABLE'),
    queueUrl: given('ROLLCALL_QUEUE_URL'),
    dlqUrl: given('ROLLCALL_DLQ_URL'),
    eventBus: given('ROLLCALL_EVENT_BUS'),
    sqsEndpoint: given('AWS_ENDPOINT_URL_SQS'),
  };
}
