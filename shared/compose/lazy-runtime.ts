import type { AwsRuntime } from './lambda-runtime.ts';

/** The part of Lambda's context that handlers use. */
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
