import { it, onTestFinished } from 'vitest';
import { logLife } from '../../contract/log-life.ts';
import { makeBench, startSimulatedAws } from './stores.ts';

it('a table keeps its transparency log through growth and retention', { timeout: 120_000 }, async () => {
  const aws = await startSimulatedAws();
  const bench = await makeBench(aws);
  onTestFinished(async () => {
    await bench.dispose();
    await aws.close();
  });
  await logLife(await bench.open(), bench.clock);
});
