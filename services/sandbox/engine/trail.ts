import type { DriftEvent } from './drift.ts';
import { EventLog } from './event-log.ts';
import type { Failure } from './operation.ts';
import { principalArn } from './sts.ts';
import type { Account, ApiRequest, Output, ServiceName } from './types.ts';

type Event = {
  serial: number;
  service: ServiceName;
  operation: string;
  accountId: string;
  actor: string;
  role: boolean;
  region: string;
  requestId: string;
  input: unknown;
  failure: Failure | null;
  at: number;
};

/** The CloudTrail event source of each service whose calls change enrollments. */
const SOURCES: Partial<Record<ServiceName, string>> = {
  'compute-optimizer': 'computeoptimizer.amazonaws.com',
  'aco-automation': 'aco-automation.amazonaws.com',
  'cost-optimization-hub': 'cost-optimization-hub.amazonaws.com',
};

/** The call with which an account changes each of its enrollments. */
const CALLS = {
  computeOptimizer: ['compute-optimizer', 'UpdateEnrollmentStatus'],
  automation: ['aco-automation', 'UpdateEnrollmentConfiguration'],
  costOptimizationHub: ['cost-optimization-hub', 'UpdateEnrollmentStatus'],
} as const satisfies Record<DriftEvent['enrollment'], readonly [ServiceName, string]>;

const REGION = 'us-east-1';

/**
 * CloudTrail: the calls that change enrollments, as EventBridge delivers them to the calling account. Throttled calls are left out. The ids
 * come from a counter, so that recording does not advance the random source.
 */
export class Trail {
  readonly #log = new EventLog<Event>();
  readonly #partition: string;
  #recorded = 0;

  constructor(partition: string) {
    this.#partition = partition;
  }

  /** @param caller the account of the caller's credentials */
  record(request: ApiRequest, caller: Account | undefined, failure: Failure | null, at: number): void {
    if (caller === undefined || SOURCES[request.service] === undefined) return;
    const { service, operation, roleSession, region = REGION, requestId, input } = request;
    const actor = principalArn(this.#partition, caller, roleSession);
    const role = roleSession !== undefined;
    this.#append({ service, operation, accountId: caller.id, actor, role, region, requestId, input, failure, at });
  }

  /** Records the call that would have caused a drift. */
  recordDrift({ accountId, enrollment, status, actor, at }: DriftEvent): void {
    const [service, operation] = CALLS[enrollment];
    const requestId = uuid('d', this.#recorded + 1);
    const caused = { service, operation, accountId, actor, requestId, input: { status }, at: at.getTime() };
    const role = actor.includes(':assumed-role/');
    this.#append({ ...caused, role, region: REGION, failure: null });
  }

  #append(event: Omit<Event, 'serial'>): void {
    this.#recorded += 1;
    this.#log.append({ serial: this.#recorded, ...event });
  }

  get events(): readonly Output[] {
    return this.#log.all.map(delivered);
  }
}

/** The form of an event [eb-service-event-cloudtrail]. */
function delivered(event: Event): Output {
  const { serial, service, operation, accountId, actor, role, region, requestId, input, failure, at } = event;
  const time = `${new Date(at).toISOString().slice(0, 19)}Z`;
  const eventSource = SOURCES[service] ?? '';
  return {
    version: '0',
    id: uuid('e', serial),
    'detail-type': 'AWS API Call via CloudTrail',
    source: `aws.${service}`,
    account: accountId,
    time,
    region,
    resources: [],
    detail: {
      eventVersion: '1.11',
      userIdentity: { type: role ? 'AssumedRole' : 'IAMUser', arn: actor, accountId },
      eventTime: time,
      eventSource,
      eventName: operation,
      awsRegion: region,
      ...(failure !== null && { errorCode: failure.code, errorMessage: failure.message }),
      requestParameters: input,
      responseElements: null,
      requestID: requestId,
      eventID: uuid('c', serial),
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: accountId,
      eventCategory: 'Management',
    },
  };
}

const uuid = (kind: string, serial: number): string =>
  `${kind.repeat(8)}-0000-4000-8000-${String(serial).padStart(12, '0')}`;
