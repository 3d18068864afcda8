import { ServiceException, type ServiceExceptionOptions } from '@smithy/core/client';

/** Base class of the errors of Compute Optimizer Automation. */
export class ComputeOptimizerAutomationServiceException extends ServiceException {
  constructor(options: ServiceExceptionOptions) {
    super(options);
    Object.setPrototypeOf(this, new.target.prototype);
  }
}

type ErrorOptions = Omit<ServiceExceptionOptions, 'name' | '$fault'>;
type ErrorClass<Name extends string> = new (
  options: ErrorOptions,
) => ComputeOptimizerAutomationServiceException & { readonly name: Name };

/** The modelled errors differ only in name and fault. */
function errorClass<Name extends string>(name: Name, fault: 'client' | 'server'): ErrorClass<Name> {
  return class extends ComputeOptimizerAutomationServiceException {
    override readonly name = name;
    override readonly $fault = fault;
    constructor(options: ErrorOptions) {
      super({ ...options, name, $fault: fault });
    }
  };
}

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
export const MODELLED_ERRORS = [
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
] as const;
