import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleDashboard } from '../dashboard/build.ts';
import { embedDashboard } from '../dashboard/embed.ts';
import { billOfLockFile, withScopes } from './package/bill.ts';
import { CLI_BUNDLE } from './package/bundle.ts';
import { bundledPackages } from './package/bundled.ts';
import { noticesOf } from './package/notices.ts';

/**
 * Bundles the CLI for the npm package: Node does not strip types below `node_modules`, so what is installed has to be JavaScript.
 * Everything is in the bundle, so that an installed package needs nothing else. In parts, because `--help` must not load the AWS SDK.
 * Beside it: the licences of what is in it, and the bill of materials.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));
const outdir = `${root}dist/cli`;

rmSync(outdir, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: [`${root}services/cli/main.ts`],
  outdir,
  ...CLI_BUNDLE,
  metafile: true,
  plugins: [embedDashboard],
});

const dashboard = await bundleDashboard();
const bundled = bundledPackages(root, [metafile, dashboard.metafile]);
writeFileSync(`${outdir}/THIRD-PARTY-NOTICES.txt`, noticesOf(bundled));
writeFileSync(`${outdir}/sbom.cdx.json`, `${JSON.stringify(withScopes(billOfLockFile(root), bundled), null, 2)}\n`);
