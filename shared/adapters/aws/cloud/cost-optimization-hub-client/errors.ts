import { errorsOf, type ModelledError, ModelledServiceException } from '../service-client/errors.ts';

/** Base class of the errors of Cost Optimization Hub. */
export class CostOptimizationHubServiceException extends ModelledServiceException {}

const errorClass = errorsOf(CostOptimizationHubServiceException);

class AccessDeniedException extends errorClass('AccessDeniedException', 'client') {}
class InternalServerException extends errorClass('InternalServerException', 'server') {}
export class ThrottlingException extends errorClass('ThrottlingException', 'client') {}
export class ValidationException extends errorClass('ValidationException', 'client') {}

/** Every modelled error, for the client's registry. */
export const MODELLED_ERRORS: readonly ModelledError[] = [
  { errorType: AccessDeniedException, name: 'AccessDeniedException', fault: 'client' },
  { errorType: InternalServerException, name: 'InternalServerException', fault: 'server' },
  { errorType: ThrottlingException, name: 'ThrottlingException', fault: 'client' },
  { errorType: ValidationException, name: 'ValidationException', fault: 'client' },
];
