/** A retry policy that makes the call once. */
export const withoutRetries = <T>(call: () => Promise<T>): Promise<T> => call();
