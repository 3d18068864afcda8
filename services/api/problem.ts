import { ApprovalError } from '../../shared/app/guardrails/approvable-plan.ts';
import { ControlsError } from '../../shared/app/guardrails/controls.ts';
import { EmptySelectorError } from '../../shared/app/guardrails/selector-preview.ts';
import { ReportRangeError } from '../../shared/app/queries/audit/report.ts';
import { ConfigError } from '../../shared/config/config-error.ts';
import { MalformedError, UnprovenError } from '../../shared/domain/transparency/errors.ts';
import { BadCursorError, TamperedError } from '../../shared/ports/ledger.ts';
import { StoreError } from '../../shared/ports/store-error.ts';

/** One invalid part of a request. */
export interface Complaint {
  /** e.g. `query.limit`, `body.selector`. */
  readonly where: string;
  readonly message: string;
}

/** An error answer [RFC 9457]. The caller sees all of it, so it must not contain secrets. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly code: string;
  readonly errors: readonly Complaint[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: { readonly errors?: readonly Complaint[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }
}

/** The policy cannot be read, or is invalid. */
export class PolicyUnavailableError extends Error {
  override readonly name = 'PolicyUnavailableError';
}

const APPROVAL_STATUS: Readonly<Record<ApprovalError['code'], number>> = {
  PlanUnknown: 404,
  PlanAmbiguous: 409,
  PlanOutdated: 409,
  PlanNotApprovable: 409,
  PlanAlreadyApproved: 409,
  ApprovalUsed: 409,
  NotKept: 500,
};

const CONTROLS_STATUS: Readonly<Record<ControlsError['code'], number>> = {
  NotSuspended: 409,
  TooManySuspensions: 409,
  NotKept: 500,
};

/** The answer to an error of a use case; `null`: an internal error, of which the caller learns only that it happened. */
export function problemOf(error: unknown): ApiProblem | null {
  if (error instanceof ApiProblem) return error;
  if (error instanceof BadCursorError) {
    return new ApiProblem(400, 'BadCursor', `${error.message}. Start again from the first page.`);
  }
  if (error instanceof ReportRangeError) return new ApiProblem(400, 'ImpossibleRange', `${error.message}.`);
  if (error instanceof ConfigError) return new ApiProblem(400, 'BadRequest', error.message);
  if (error instanceof EmptySelectorError) return new ApiProblem(409, 'SelectorMatchesNothing', error.message);
  if (error instanceof ControlsError) return new ApiProblem(CONTROLS_STATUS[error.code], error.code, error.message);
  if (error instanceof ApprovalError) return new ApiProblem(APPROVAL_STATUS[error.code], error.code, error.message);
  if (error instanceof TamperedError) {
    const advice = 'Run `rollcall audit verify` for details, and keep the store unchanged.';
    return new ApiProblem(500, 'LedgerBroken', `Chain ${error.chain}: ${error.message}. ${advice}`);
  }
  if (error instanceof MalformedError || error instanceof UnprovenError) {
    const advice = 'Run `rollcall audit verify` for details, and keep the store unchanged.';
    return new ApiProblem(500, 'LedgerBroken', `The transparency log is damaged: ${error.message}. ${advice}`);
  }
  if (error instanceof PolicyUnavailableError) return unavailable('PolicyUnavailable', error.message);
  if (error instanceof StoreError) {
    return unavailable('StoreUnavailable', `The store is not available (${error.code}); see the log.`);
  }
  return null;
}

function unavailable(code: string, detail: string): ApiProblem {
  return new ApiProblem(503, code, detail, { headers: { 'retry-after': '15' } });
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Authentication needed',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  409: 'Conflict',
  413: 'Content too large',
  414: 'Address too long',
  415: 'Unsupported media type',
  421: 'Misdirected request',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not available',
};

export function problemResponse(problem: ApiProblem): Response {
  const { status, code, message, errors, headers } = problem;
  const body = {
    type: `urn:rollcall:problem:${code}`,
    title: TITLES[status] ?? 'Error',
    status,
    detail: message,
    code,
    ...(errors.length > 0 && { errors }),
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });
}
