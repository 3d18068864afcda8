import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Plugin } from 'esbuild';
import { type Bill, billOfLockFile, shippedIn } from '../services/cli/package/bill.ts';
import { bundledPackages } from '../services/cli/package/bundled.ts';
import { noticesOf } from '../services/cli/package/notices.ts';

const root = resolve(import.meta.dirname, '..');

/** serverless-esbuild calls this once for all functions, and uses the result in the build of each. */
export default function plugins(): readonly Plugin[] {
  return [describeBundle(billOfLockFile(root))];
}

/**
 * Adds to a function's package the bill of materials and the licence texts of the packages in its bundle. serverless-esbuild builds
 * `services/NAME/handler.ts` into the directory `BUILD/services/NAME`, and packs `BUILD/__only_NAME` at the top of that function's zip.
 */
function describeBundle(bill: Bill): Plugin {
  return {
    name: 'describe-bundle',
    setup: ({ initialOptions, onEnd }) => {
      initialOptions.metafile = true;
      const { outdir } = initialOptions;
      if (outdir === undefined) throw new Error('no outdir: expected BUILD/services/NAME');
      const name = basename(outdir);
      const directory = join(outdir, `../../__only_${name}`);
      onEnd(({ metafile }) => {
        // The build failed; esbuild reports why.
        if (metafile === undefined) return;
        const bundled = bundledPackages(root, [metafile]);
        mkdirSync(directory, { recursive: true });
        writeFileSync(join(directory, 'THIRD-PARTY-NOTICES.txt'), noticesOf(bundled));
        const content = JSON.stringify(shippedIn(`rollcall-${name}`, bill, bundled), null, 2);
        writeFileSync(join(directory, 'sbom.cdx.json'), `${content}\n`);
      });
    },
  };
}
