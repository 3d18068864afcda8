import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

const common = {
  // What tests talk to is on this machine, where a proxy of the developer's cannot reach it.
  env: {
    HTTP_PROXY: '',
    HTTPS_PROXY: '',
    http_proxy: '',
    https_proxy: '',
    AWS_CA_BUNDLE: '',
    AWS_DEFAULT_REGION: '',
  },
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Most tests wait for sockets, disks and child processes rather than for a core.
  maxWorkers: 4,
  // Files share a process, one after the other: loading the AWS SDK anew for each was a fifth of all the work. What a test sets of the
  // environment or of the clock it sets itself, or takes back.
  isolate: false,
};

/** Adds one kind to the registry, as a product change would: one line. The rest of the product is as it is. */
const thirdKind: Plugin = {
  name: 'third-kind',
  enforce: 'pre',
  resolveId(source) {
    return source === './registry.ts' ? fileURLToPath(new URL('./test/support/fake-kind.ts', import.meta.url)) : null;
  },
};

export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      {
        test: {
          ...common,
          name: 'rollcall',
          globalSetup: ['test/support/bundle-children.ts'],
          include: ['test/**/*.test.ts'],
          exclude: ['test/third-kind/**', '**/node_modules/**'],
        },
      },
      {
        plugins: [thirdKind],
        test: { ...common, name: 'third kind', include: ['test/third-kind/**/*.test.ts'] },
      },
    ],
  },
});
