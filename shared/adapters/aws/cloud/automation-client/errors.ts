import { errorsOf, type ModelledError, ModelledServiceException } from '../service-client/errors.ts';

/** Base class of the errors of Compute Optimizer Automation. */
export class ComputeOptimizerAutomationServiceException extends ModelledServiceException {}

const errorClass = errorsOf(ComputeOptimizerAutomationServiceException);

class AccessDeniedException extends errorClass('AccessDeniedException', 'client') {}
export class ConflictException extends errorClass('ConflictException', 'client') {}
export class ForbiddenException extends errorClass('ForbiddenException', 'client') {}
class IdempotencyTokenInUseException extends errorClass('IdempotencyTokenInUseException', 'client') {}
class IdempotentParameterMismatchException extends errorClass('IdempotentParameterMismatchException', 'client') {}
class InternalServerException extends errorClass('InternalServerException', 'server') {}
class InvalidParameterValueException extends errorClass('InvalidParameterValueException', 'client') {}
class NotManagementAccountException extends errorClass('NotManagementAccountException', 'client') {}
class OptInRequiredException extends errorClass('OptInRequiredException', 'client') {}
class ResourceNotFoundException extends errorClass('ResourceNotFoundException', 'client') {}
class ServiceUnavailableException extends errorClass('ServiceUnavailableException', 'server') {}
export class ThrottlingException extends errorClass('ThrottlingException', 'client') {}

/** Every modelled error, for the client's registry. */
export const MODELLED_ERRORS: readonly ModelledError[] = [
  { errorType: AccessDeniedException, name: 'AccessDeniedException', fault: 'client' },
  { errorType: ConflictException, name: 'ConflictException', fault: 'client' },
  { errorType: ForbiddenException, name: 'ForbiddenException', fault: 'client' },
  { errorType: IdempotencyTokenInUseException, name: 'IdempotencyTokenInUseException', fault: 'client' },
  { errorType: IdempotentParameterMismatchException, name: 'IdempotentParameterMismatchException', fault: 'client' },
  { errorType: InternalServerException, name: 'InternalServerException', fault: 'server' },
  { errorType: InvalidParameterValueException, name: 'InvalidParameterValueException', fault: 'client' },
  { errorType: NotManagementAccountException, name: 'NotManagementAccountException', fault: 'client' },
  { errorType: OptInRequiredException, name: 'OptInRequiredException', fault: 'client' },
  { errorType: ResourceNotFoundException, name: 'ResourceNotFoundException', fault: 'client' },
  { errorType: ServiceUnavailableException, name: 'ServiceUnavailableException', fault: 'server' },
  { errorType: ThrottlingException, name: 'ThrottlingException', fault: 'client' },
];
