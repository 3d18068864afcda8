import { basename, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { describeBundle } from '../services/cli/package/describe-bundle.ts';

/** The plugins that serverless-esbuild uses in the build of each function. */
export default function plugins(): readonly Plugin[] {
  return [describeFunction];
}

/** serverless-esbuild builds `services/NAME/handler.ts` into `BUILD/services/NAME`. Files in `BUILD/__only_NAME` are added to that function's zip. */
const describeFunction: Plugin = {
  name: 'describe-function',
  setup: (build) => {
    const { outdir } = build.initialOptions;
    if (outdir === undefined) throw new Error('no outdir: expected BUILD/services/NAME');
    return describeBundle(join(outdir, `../../__only_${basename(outdir)}`)).setup(build);
  },
};
