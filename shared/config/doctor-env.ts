import type { Environment } from './config.ts';

export type DoctorEnv = ReturnType<typeof readDoctorEnv>;

/** The environment of `doctor`; `null`: not set. Nothing is checked, because a missing variable is one of the findings of `doctor`. */
export function readDoctorEnv(env: Environment) {
  // Deployment templates set a variable to an empty text instead of leaving it out.
  const given = (name: string): string | null => env[name] || null;
  return {
    profile: given('AWS_PROFILE'),
    // The variable that overrides the endpoint of the first call, which identifies the caller.
    endpointVariable: ['AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL'].find((name) => given(name) !== null) ?? null,
    table: given('ROLLCALL_TABLE'),
    queueUrl: given('ROLLCALL_QUEUE_URL'),
    dlqUrl: given('ROLLCALL_DLQ_URL'),
    eventBus: given('ROLLCALL_EVENT_BUS'),
    // The SDK itself ignores this variable and sends to the host in the queue's URL.
    sqsEndpoint: given('AWS_ENDPOINT_URL_SQS'),
  };
}
