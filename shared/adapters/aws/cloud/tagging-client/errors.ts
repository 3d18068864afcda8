import { errorsOf, type ModelledError, ModelledServiceException } from '../service-client/errors.ts';

/** Base class of the errors of the Resource Groups Tagging API. */
export class ResourceGroupsTaggingAPIServiceException extends ModelledServiceException {}

const errorClass = errorsOf(ResourceGroupsTaggingAPIServiceException);

class InternalServiceException extends errorClass('InternalServiceException', 'server') {}
class InvalidParameterException extends errorClass('InvalidParameterException', 'client') {}
export class PaginationTokenExpiredException extends errorClass('PaginationTokenExpiredException', 'client') {}
export class ThrottledException extends errorClass('ThrottledException', 'client') {}

/** Every modelled error, for the client's registry. */
export const MODELLED_ERRORS: readonly ModelledError[] = [
  { errorType: InternalServiceException, name: 'InternalServiceException', fault: 'server' },
  { errorType: InvalidParameterException, name: 'InvalidParameterException', fault: 'client' },
  { errorType: PaginationTokenExpiredException, name: 'PaginationTokenExpiredException', fault: 'client' },
  { errorType: ThrottledException, name: 'ThrottledException', fault: 'client' },
];
