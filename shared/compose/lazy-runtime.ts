import type { AwsRuntime } from './lambda-runtime.ts';

/** What a handler uses of Lambda's context. */
export interface LambdaContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** Makes a runtime; a handler does so at its first event, never at import. */
export type Compose = () => Promise<AwsRuntime>;

/** One runtime for a container's life. One that could not be made is tried again at the next event. */
export function lazily(compose: Compose): Compose {
  let made: Promise<AwsRuntime> | null = null;
  return () => {
    made ??= compose().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
}
