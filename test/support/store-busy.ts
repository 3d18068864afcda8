import { StoreError } from '../../shared/ports/store-error.ts';

/** The error of a store that another process keeps locked for too long. */
export function storeBusy(): StoreError {
  const found = 'another process held the lock for too long';
  return new StoreError({ code: 'Busy', resource: 'the store', found, remedy: 'Try again.' });
}
