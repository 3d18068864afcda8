/*
 * The image's health check: `node health-check.mjs [URL]` exits 0 if the API answers and can read the store, otherwise 1 with a line that says why.
 * The image has no shell and no curl.
 */
const url = process.argv[2] ?? 'http://127.0.0.1:4800/api/health';
const TIMEOUT_MS = 9_000;

const problem = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
  async (response) => (response.ok ? null : `status ${response.status}: ${await response.text()}`),
  (error) => (error.cause ?? error).message,
);
if (problem !== null) {
  process.stderr.write(`${url}: ${problem}\n`);
  process.exitCode = 1;
}
