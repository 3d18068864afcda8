import type { AccountId } from '../../../domain/enrollment/model.ts';
import { type CallGate, type CallKey, CloudError } from '../../../ports/cloud.ts';
import { NO_TRACER, type SpanAttributes, type SpanStart, type Tracer } from '../../../ports/tracer.ts';
import type { Clients, Identity } from './clients.ts';
import { credentialsError, ownError, toCloudError } from './cloud-errors.ts';
import { missingProfile } from './missing-profile.ts';

/** Credentials, and the account that they belong to. */
export interface Session {
  /** `null` while the caller's account is unknown. */
  readonly accountId: AccountId | null;
  readonly identity: Identity;
  /** Whether the credentials come from AssumeRole in a member account. */
  readonly member: boolean;
}

/** One request to AWS. */
interface Call<Answer> {
  readonly key: CallKey;
  readonly session: Session;
  /** The account that an error is about; default: the account of the session. */
  readonly about?: AccountId;
  readonly send: () => Promise<Answer>;
}

export interface Calls {
  /** Checks the configured Region once. @throws CloudError `RegionMissing`, `RegionMalformed` */
  ensureRegion(key: CallKey): Promise<void>;
  make<Answer>(call: Call<Answer>): Promise<Answer>;
  /** Waits for the rate limiter. @returns a function that sends the request */
  prepare<Answer>(call: Call<Answer>): Promise<() => Promise<Answer>>;
  /** The caller's own credentials. @param accountId the caller's account; `null` while it is unknown */
  ownSession(key: CallKey, accountId: AccountId | null): Promise<Session>;
}

/** For example `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`. The SDK removes a leading or trailing `fips` first. */
const REGION = /^[a-z]{2,8}(-[a-z]+){1,3}-\d{1,2}$/;

function malformed({ operation }: CallKey, region: string): string {
  const found = JSON.stringify(region.slice(0, 80));
  return `${operation} was not sent: ${found} is not the name of a Region. Set AWS_REGION, or "region" in the AWS profile, to a Region such as eu-west-1.`;
}

/** The span of a call, with the attributes of OpenTelemetry's conventions for the AWS SDK. */
function spanOf({ service, operation }: CallKey, accountId: AccountId | null): SpanStart<unknown> {
  const attributes = { 'rpc.system': 'aws-api', 'rpc.service': service, 'rpc.method': operation };
  return {
    name: `${service}/${operation}`,
    kind: 'client',
    attributes: accountId === null ? attributes : { ...attributes, 'rollcall.account.id': accountId },
    done: () => ({ 'rollcall.call.outcome': 'ok' }),
    failed: failureOf,
  };
}

function failureOf(error: unknown): SpanAttributes {
  if (!(error instanceof CloudError)) return { 'rollcall.call.outcome': 'failed' };
  const { code, requestId } = error.details;
  const outcome = error.kind === 'Throttled' ? 'throttled' : 'failed';
  const attributes = { 'rollcall.call.outcome': outcome, 'error.type': code };
  return requestId === null ? attributes : { ...attributes, 'aws.request_id': requestId };
}

/** Every request of the adapter takes the same steps: permit, signature, report, translation of errors. */
export function createCalls(clients: Clients, gate: CallGate, tracer: Tracer = NO_TRACER): Calls {
  let regionKnown = false;

  async function ensureRegion(key: CallKey): Promise<void> {
    if (regionKnown) return;
    let region: string;
    try {
      region = await clients.region();
    } catch (cause) {
      await refuseMissingProfile(key);
      const message =
        `${key.operation} was not sent: no usable AWS Region. ` +
        'Set AWS_REGION, or "region" in the AWS profile, to a Region such as eu-west-1.';
      throw ownError('Invalid', 'RegionMissing', { ...key, accountId: null }, message, cause);
    }
    // Without this check, a mistyped Region would be reported as an unknown host or as a wrong access key.
    if (!REGION.test(region))
      throw ownError('Invalid', 'RegionMalformed', { ...key, accountId: null }, malformed(key, region));
    regionKnown = true;
  }

  /** The SDK skips a profile that does not exist, and reports that it found no credentials or no Region. */
  async function refuseMissingProfile(key: CallKey): Promise<void> {
    const profile = await missingProfile();
    if (profile === null) return;
    const message = `${key.operation} was not sent: the AWS profile ${profile} does not exist in the AWS config file. Correct AWS_PROFILE; "aws configure list-profiles" lists the profiles.`;
    throw ownError('Unauthenticated', 'ProfileMissing', { ...key, accountId: null }, message);
  }

  function refuseIfClosed(key: CallKey, accountId: AccountId | null): void {
    if (clients.closed) {
      // Transient, because the process is stopping or has switched to a new policy: another attempt may succeed.
      throw ownError('Transient', 'Closed', { ...key, accountId }, `${key.operation} was not sent: closed.`);
    }
  }

  return {
    ensureRegion,

    async ownSession(key, accountId) {
      await ensureRegion(key);
      try {
        return { accountId, identity: await clients.ownCredentials(), member: false };
      } catch (error) {
        await refuseMissingProfile(key);
        throw credentialsError(error, { ...key, accountId, member: false });
      }
    },

    prepare,

    async make(call) {
      const send = await prepare(call);
      return send();
    },
  };

  async function prepare<Answer>({ key, session, about, send }: Call<Answer>): Promise<() => Promise<Answer>> {
    const accountId = about ?? session.accountId;
    refuseIfClosed(key, accountId);
    const metered = { ...key, meteredIn: session.member ? ('member' as const) : ('caller' as const) };
    const acquiredAt = await gate.acquire(metered);
    refuseIfClosed(key, accountId);
    const request = async (): Promise<Answer> => {
      let outcome: 'ok' | 'throttled' | 'failed' = 'failed';
      try {
        const answer = await clients.signedBy(session.identity, send);
        outcome = 'ok';
        return answer;
      } catch (error) {
        const failure = toCloudError(error, { ...key, accountId, member: session.member });
        outcome = failure.kind === 'Throttled' ? 'throttled' : 'failed';
        throw failure;
      } finally {
        gate.report(metered, outcome, acquiredAt);
      }
    };
    return () => tracer.within(spanOf(key, accountId), request);
  }
}
