import { onTestFinished } from 'vitest';
import { type Deployment, type DeployOptions, startDeployment } from './deployment.ts';

export { lambdaContext, type SqsEvent } from '../../support/lambda-events.ts';
export type { Deployment } from './deployment.ts';

/** A deployment that ends with the test. */
export async function deploy(options: DeployOptions = {}): Promise<Deployment> {
  const { deployment, close } = await startDeployment(options);
  onTestFinished(close);
  return deployment;
}
