import type { Plugin } from 'esbuild';
import { buildDashboard } from './build.ts';

/** For bundles: puts the built dashboard in the place of the module that builds it. */
export const embedDashboard: Plugin = {
  name: 'embed-dashboard',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]services[\\/]dashboard[\\/]files\.ts$/ }, async () => {
      const files = [...(await buildDashboard())].map(([path, { body, ...file }]) => {
        return [path, { ...file, body: Buffer.from(body).toString('base64') }];
      });
      const contents = `const files = ${JSON.stringify(files)};
export async function dashboardFiles() {
  return new Map(files.map(([path, file]) => [path, { ...file, body: Buffer.from(file.body, 'base64') }]));
}
`;
      return { contents, loader: 'js' };
    });
  },
};
