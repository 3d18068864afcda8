import computeOptimizerModel from '../models/compute-optimizer.json' with { type: 'json' };
import automationModel from '../models/compute-optimizer-automation.json' with { type: 'json' };
import costOptimizationHubModel from '../models/cost-optimization-hub.json' with { type: 'json' };
import eventBridgeModel from '../models/eventbridge.json' with { type: 'json' };
import organizationsModel from '../models/organizations.json' with { type: 'json' };
import taggingModel from '../models/resource-groups-tagging.json' with { type: 'json' };
import stsModel from '../models/sts.json' with { type: 'json' };
import { automationOperations } from './automation.ts';
import { computeOptimizerOperations } from './compute-optimizer.ts';
import { costOptimizationHubOperations } from './cost-optimization-hub.ts';
import { eventOperations } from './events.ts';
import { Failure, type Operation, type Operations } from './operation.ts';
import { organizationsOperations } from './organizations.ts';
import {
  compileService,
  type OperationModel,
  type ServiceModel,
  type Violation,
  type ViolationKind,
} from './smithy.ts';
import { stsOperations } from './sts.ts';
import { taggingOperations } from './tagging.ts';
import type { ServiceName } from './types.ts';

/** One operation: its model and its implementation. */
export type ServedOperation = { model: OperationModel; operation: Operation };

/** One service: its model, and its codes for the errors that any operation can return. */
export type Service = {
  name: ServiceName;
  model: ServiceModel;
  operations: ReadonlyMap<string, ServedOperation>;
  codes: {
    throttle: string;
    unavailable: string;
    internal: string;
    denied: string;
    unknownOperation: string;
    /** Error codes for unknown credentials and for expired ones. */
    unknownCaller: string;
    expired: string;
  };
  /** The error for an input that violates the model's constraints. */
  invalid(violations: readonly Violation[]): Failure;
};

/** HTTP status of errors that are not in a model. The default is 400. */
const COMMON_ERRORS: Readonly<Record<string, number>> = {
  AccessDenied: 403,
  AccessDeniedException: 403,
  ExpiredToken: 403,
  ExpiredTokenException: 400,
  IncompleteSignature: 400,
  InternalFailure: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidSignatureException: 400,
  MissingAuthenticationToken: 403,
  OptInRequired: 403,
  RequestEntityTooLargeException: 413,
  RequestExpired: 400,
  SerializationException: 400,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  Throttling: 400,
  ThrottlingException: 400,
  UnknownOperationException: 404,
  UnrecognizedClientException: 400,
  UnsupportedMediaTypeException: 415,
  ValidationError: 400,
  ValidationException: 400,
};

/** The HTTP status that a service returns with an error code. */
export function httpStatusOf(service: Service, code: string): number {
  return service.model.errors.get(code) ?? COMMON_ERRORS[code] ?? 400;
}

/** Whether any service here documents this error code. */
export function isDocumentedError(services: ReadonlyMap<ServiceName, Service>, code: string): boolean {
  return Object.hasOwn(COMMON_ERRORS, code) || [...services.values()].some(({ model }) => model.errors.has(code));
}

function describe(violations: readonly Violation[]): string {
  const plural = violations.length === 1 ? 'error' : 'errors';
  return `${violations.length} validation ${plural} detected: ${violations.map(({ message }) => message).join('; ')}`;
}

/** Organizations names the first violated constraint. */
const REASONS: Readonly<Record<ViolationKind, string>> = {
  type: 'INVALID_LIST_MEMBER',
  required: 'INPUT_REQUIRED',
  enum: 'INVALID_ENUM',
  pattern: 'INVALID_PATTERN',
  'min-length': 'MIN_LENGTH_EXCEEDED',
  'max-length': 'MAX_LENGTH_EXCEEDED',
  'min-value': 'MIN_VALUE_EXCEEDED',
  'max-value': 'MAX_VALUE_EXCEEDED',
};

function invalidInput(violations: readonly Violation[]): Failure {
  const Reason = REASONS[violations[0]?.kind ?? 'required'];
  return new Failure('InvalidInputException', describe(violations), { Reason });
}

const jsonCallerCodes = { unknownCaller: 'UnrecognizedClientException', expired: 'ExpiredTokenException' };

const enrollmentCodes: Service['codes'] = {
  ...jsonCallerCodes,
  throttle: 'ThrottlingException',
  unavailable: 'ServiceUnavailableException',
  internal: 'InternalServerException',
  denied: 'AccessDeniedException',
  unknownOperation: 'UnknownOperationException',
};

/** Compiles the models of all services. */
export function createServices(): ReadonlyMap<ServiceName, Service> {
  const refuseAs = (code: string) => (violations: readonly Violation[]) => new Failure(code, describe(violations));
  const list: Service[] = [
    serve('compute-optimizer', computeOptimizerModel, computeOptimizerOperations, {
      codes: enrollmentCodes,
      invalid: refuseAs('InvalidParameterValueException'),
    }),
    serve('aco-automation', automationModel, automationOperations, {
      codes: enrollmentCodes,
      invalid: refuseAs('InvalidParameterValueException'),
    }),
    serve('cost-optimization-hub', costOptimizationHubModel, costOptimizationHubOperations, {
      // The service has no error of its own for being unavailable.
      codes: { ...enrollmentCodes, unavailable: 'InternalServerException' },
      invalid: refuseAs('ValidationException'),
    }),
    serve('organizations', organizationsModel, organizationsOperations, {
      codes: {
        ...jsonCallerCodes,
        throttle: 'TooManyRequestsException',
        unavailable: 'ServiceUnavailable',
        internal: 'ServiceException',
        denied: 'AccessDeniedException',
        unknownOperation: 'UnknownOperationException',
      },
      invalid: invalidInput,
    }),
    serve('tagging', taggingModel, taggingOperations, {
      codes: {
        ...enrollmentCodes,
        throttle: 'ThrottledException',
        unavailable: 'InternalServiceException',
        internal: 'InternalServiceException',
      },
      invalid: refuseAs('InvalidParameterException'),
    }),
    serve('sts', stsModel, stsOperations, {
      codes: {
        unknownCaller: 'InvalidClientTokenId',
        expired: 'ExpiredToken',
        throttle: 'Throttling',
        unavailable: 'ServiceUnavailable',
        internal: 'InternalFailure',
        denied: 'AccessDenied',
        unknownOperation: 'InvalidAction',
      },
      invalid: refuseAs('ValidationError'),
    }),
    serve('events', eventBridgeModel, eventOperations, {
      codes: {
        ...jsonCallerCodes,
        throttle: 'ThrottlingException',
        unavailable: 'ServiceUnavailable',
        internal: 'InternalException',
        denied: 'AccessDeniedException',
        unknownOperation: 'UnknownOperationException',
      },
      invalid: refuseAs('ValidationException'),
    }),
  ];
  return new Map(list.map((service) => [service.name, service]));
}

function serve(
  name: ServiceName,
  document: unknown,
  operations: Operations,
  dialect: Pick<Service, 'codes' | 'invalid'>,
): Service {
  const model = compileService(document);
  const served = new Map<string, ServedOperation>();
  for (const [operationName, operation] of Object.entries(operations)) {
    const operationModel = model.operations.get(operationName);
    if (operationModel === undefined) throw new Error(`${operationName} is not in the model of ${name}`);
    served.set(operationName, { model: operationModel, operation });
  }
  return { name, model, operations: served, ...dialect };
}
