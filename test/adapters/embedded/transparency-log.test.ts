import { it, onTestFinished } from 'vitest';
import { logLife } from '../../contract/log-life.ts';
import { makeBench } from './stores.ts';

it('a store keeps its transparency log through growth and retention', async () => {
  const bench = makeBench();
  onTestFinished(() => bench.dispose());
  await logLife(await bench.open(), bench.clock);
});
