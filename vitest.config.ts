import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';
import { temporaryDirectory } from './test/support/temporary-directory.ts';

const common = {
  // The servers of the tests run on this machine, where a developer's proxy cannot reach them.
  env: {
    HTTP_PROXY: '',
    HTTPS_PROXY: '',
    http_proxy: '',
    https_proxy: '',
    AWS_CA_BUNDLE: '',
    AWS_DEFAULT_REGION: '',
    TMPDIR: temporaryDirectory(),
  },
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Most tests wait for sockets, disks and child processes rather than for a core.
  maxWorkers: 4,
  // Files share a process, because loading the AWS SDK for each file took a fifth of the processor time. A test restores what it changes of the
  // environment and the clock.
  isolate: false,
};

/** Adds one kind to the registry, as a product change would: one line. The rest of the product is unchanged. */
const thirdKind: Plugin = {
  name: 'third-kind',
  enforce: 'pre',
  resolveId(source) {
    return source === './registry.ts' ? fileURLToPath(new URL('./test/support/fake-kind.ts', import.meta.url)) : null;
  },
};

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      {
        test: {
          ...common,
          name: 'rollcall',
          // Node loads the sources itself, as in production. Modules transformed by Vite cost an eighth more processor time.
          experimental: { viteModuleRunner: false, nodeLoader: false },
          setupFiles: ['test/support/setup.ts'],
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
