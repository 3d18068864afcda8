import type { Metafile, Plugin } from 'esbuild';
import { buildDashboard } from './build.ts';

/** For bundles: replaces the module that builds the dashboard with the built files, and lists their inputs in the bundle's metafile. */
export const embedDashboard: Plugin = {
  name: 'embed-dashboard',
  setup({ onEnd, onLoad }) {
    let embedded: Metafile | undefined;
    onLoad({ filter: /[\\/]services[\\/]dashboard[\\/]files\.ts$/ }, async () => {
      const dashboard = await buildDashboard();
      embedded = dashboard.metafile;
      const files = [...dashboard.files].map(([path, { body, ...file }]) => {
        return [path, { ...file, body: Buffer.from(body).toString('base64') }];
      });
      const contents = `const files = ${JSON.stringify(files)};
export async function dashboardFiles() {
  return new Map(files.map(([path, file]) => [path, { ...file, body: Buffer.from(file.body, 'base64') }]));
}
`;
      return { contents, loader: 'js' };
    });
    onEnd(({ metafile }) => {
      if (metafile === undefined || embedded === undefined) return;
      Object.assign(metafile.inputs, embedded.inputs);
      Object.assign(metafile.outputs, embedded.outputs);
    });
  },
};
