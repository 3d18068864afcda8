import type { CallKey, ChangeRequest, ChangeResult, CloudError, Observed } from '../../../../ports/cloud.ts';
import type { Clients } from '../clients.ts';
import { ownError } from '../cloud-errors.ts';
import type { Answered, EnrollmentPage } from '../responses.ts';

/**
 * How AWS lists, reads and changes the enrollments of one kind. A driver only builds requests and interprets answers: credentials,
 * pacing and the translation of errors are the same for all kinds (`cloud.ts`).
 */
export interface EnrollmentDriver {
  /** One page of the organization-wide listing. With `failedOnly`, AWS may omit enrollments that have not failed. */
  list(pageToken: string | null, failedOnly?: boolean): WireRequest;
  /** @throws CloudError `UnexpectedAnswer` */
  parsePage(answer: unknown, answered: Answered): EnrollmentPage;
  /** The enrollment of the account whose credentials make the call. */
  read(): WireRequest;
  /** @throws CloudError `UnexpectedAnswer`, also for a status that this version does not know */
  parseRead(answer: unknown, answered: Answered): Observed;
  /** @throws CloudError `UnsupportedChange` */
  change(request: ChangeRequest): WireRequest;
  parseChange(answer: unknown, request: ChangeRequest): Omit<ChangeResult, 'requestId'>;
}

/** One request as data, so that the simulation can run it without a network. */
export interface WireRequest {
  readonly key: CallKey;
  readonly input: object;
  readonly send: (clients: Clients) => Promise<WireAnswer>;
}

export interface WireAnswer {
  readonly $metadata: { readonly requestId?: string | undefined };
}

/** Makes a driver's requests to one service. */
export function requestsTo(service: string) {
  return <Input extends object>(
    operation: string,
    input: Input,
    send: (clients: Clients, input: Input) => Promise<WireAnswer>,
  ): WireRequest => ({ key: { service, operation }, input, send: (clients) => send(clients, input) });
}

/** The error for an action that the kind does not have, or not for this target. */
export function unsupported(service: string, { action, target }: ChangeRequest): CloudError {
  const accountId = target.scope === 'account' ? target.accountId : null;
  const message = `${action} is not available for the target "${target.scope}".`;
  return ownError('Invalid', 'UnsupportedChange', { service, operation: action, accountId }, message);
}
