import type { LogFields } from '../ports/system.ts';
import type { AwsRuntime } from './lambda-runtime.ts';

/** The part of Lambda's context that handlers use. */
export interface LambdaContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** Makes a runtime. Handlers call it at the first event. */
export type Compose = () => Promise<AwsRuntime>;

/** Makes one runtime per container. If that fails, the next event tries again. */
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

/** Handles one event: its log lines carry `fields`, and logs and metrics are flushed even if `work` throws. */
export function handling<T>(runtime: AwsRuntime, fields: LogFields, work: () => Promise<T>): Promise<T> {
  return runtime.logger.within(fields, () => work().finally(() => runtime.flush()));
}
