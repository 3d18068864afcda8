/**
 * The part of `@aws-sdk/client-cost-optimization-hub` that Rollcall uses, under the same names, so that the package can replace this folder. On
 * 2026-11-29 npm had only a version that is older than the SDK's schemas (docs/decisions/0012-what-stays-hand-written.md).
 */
export { CostOptimizationHubClient, type CostOptimizationHubClientConfig } from './client.ts';
export { ListEnrollmentStatusesCommand, UpdateEnrollmentStatusCommand } from './commands.ts';
export { CostOptimizationHubServiceException, ThrottlingException, ValidationException } from './errors.ts';
