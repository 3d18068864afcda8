import { describe, it, onTestFinished } from 'vitest';
import { CHANGE_PROMISES } from './cloud-changes.ts';
import { CONFIGURATION_PROMISES } from './cloud-configurations.ts';
import { COST_OPTIMIZATION_HUB_PROMISES } from './cloud-cost-optimization-hub.ts';
import { READ_PROMISES } from './cloud-reads.ts';
import { TAG_PROMISES } from './cloud-tags.ts';
import type { MakeCloud, Promised, World, WorldOptions } from './cloud-world.ts';

const PROMISES = {
  ...READ_PROMISES,
  ...TAG_PROMISES,
  ...CHANGE_PROMISES,
  ...CONFIGURATION_PROMISES,
  ...COST_OPTIMIZATION_HUB_PROMISES,
};

/** Runs the Cloud port's contract against one adapter. A gap names a promise that it does not keep, and why. */
export function cloudContract(
  adapter: string,
  makeCloud: MakeCloud,
  gaps: Readonly<Partial<Record<keyof typeof PROMISES, string>>> = {},
): void {
  const open = async (options: WorldOptions = {}): Promise<World> => {
    const world = await makeCloud(options);
    onTestFinished(() => world.close());
    return world;
  };
  describe(`Cloud contract: ${adapter}`, () => {
    for (const [name, promise] of Object.entries<Promised>(PROMISES)) {
      const reason = Object.entries(gaps).find(([gap]) => gap === name)?.[1];
      if (reason === undefined) it(name, () => promise(open));
      else it(`${name} (declared gap: ${reason})`, (test) => test.skip(reason));
    }
  });
}
