import { ServiceException, type ServiceExceptionOptions } from '@smithy/core/client';

/** Base class of the errors of a service. */
export class ModelledServiceException extends ServiceException {
  constructor(options: ServiceExceptionOptions) {
    super(options);
    Object.setPrototypeOf(this, new.target.prototype);
  }
}

export type ServiceExceptionClass = new (options: ServiceExceptionOptions) => ServiceException;
type Fault = ServiceException['$fault'];
type ErrorOptions = Omit<ServiceExceptionOptions, 'name' | '$fault'>;
type ErrorClass<Name extends string> = new (options: ErrorOptions) => ServiceException & { readonly name: Name };

/** Creates the classes of the modelled errors of a service, which differ only in name and fault. */
export function errorsOf(base: ServiceExceptionClass) {
  return <Name extends string>(name: Name, fault: Fault): ErrorClass<Name> =>
    class extends base {
      override readonly name = name;
      override readonly $fault = fault;
      constructor(options: ErrorOptions) {
        super({ ...options, name, $fault: fault });
      }
    };
}

/** A modelled error for the registry of a client. */
export interface ModelledError {
  readonly errorType: ErrorClass<string>;
  readonly name: string;
  readonly fault: Fault;
}
