import type { AwsRuntime } from './lambda-runtime.ts';

/** What a handler uses of Lambda's context. */
export interface LambdaContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** Creates a runtime. A handler calls it at its first event, never at import. */
export type Compose = () => Promise<AwsRuntime>;

/** One runtime for the life of a container. If creating it fails, the next event tries again. */
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
