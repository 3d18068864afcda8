import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { describeBundle } from '../services/cli/package/describe-bundle.ts';

/** serverless-esbuild calls this once for all functions, and uses the result in the build of each. */
export default function plugins(): readonly Plugin[] {
  return [describeFunction];
}

/**
 * serverless-esbuild builds `services/NAME/handler.ts` into the directory `BUILD/services/NAME`, and packs `BUILD/__only_NAME` at the top
 * of that function's zip.
 */
const describeFunction: Plugin = {
  name: 'describe-function',
  setup: (build) => {
    const { outdir } = build.initialOptions;
    if (outdir === undefined) throw new Error('no outdir: expected BUILD/services/NAME');
    return describeBundle(join(outdir, `../../__only_${basename(outdir)}`)).setup(build);
  },
};
