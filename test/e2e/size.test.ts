import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { buildDashboard, type DashboardFile } from '../../services/dashboard/build.ts';

const MOST_BYTES = 250 * 1024;
const MOST_BYTES_OF = { '.css': 12 * 1024, '.js': 120 * 1024 };

const { files } = await buildDashboard();

const textOf = ({ body, encoding }: DashboardFile): string =>
  new TextDecoder().decode(
    encoding === 'br' ? brotliDecompressSync(body) : encoding === 'gzip' ? gunzipSync(body) : body,
  );

describe("the dashboard's files", () => {
  test('have less than 250 kB in total, as sent', () => {
    const bytes = [...files.values()].reduce((sum, { body }) => sum + body.length, 0);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });

  test.each(Object.entries(MOST_BYTES_OF))('of type %s have at most %i bytes in total', (ending, most) => {
    const bytes = [...files]
      .filter(([path]) => path.endsWith(ending))
      .reduce((sum, [, { body }]) => sum + body.length, 0);
    expect(bytes).toBeGreaterThan(1_000);
    expect(bytes).toBeLessThan(most);
  });

  test('are self-contained: no inline script or style, no data URL, no other origin', () => {
    const page = textOf(files.get('/') ?? expect.fail('there is no page'));
    expect(page).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)|\son\w+=|data:/);
    const addresses = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address ?? '');
    expect(addresses.length).toBeGreaterThanOrEqual(3);
    for (const address of addresses) expect(files.has(address), address).toBe(true);
    for (const [path, file] of files) {
      if (!file.type.startsWith('text/css')) continue;
      const used = [...textOf(file).matchAll(/url\(["']?([^"')]+)/g)].map(([, address]) => address ?? '');
      for (const address of used) expect(files.has(address), `${path}: ${address}`).toBe(true);
    }
  });

  test('are reproducible, and their names change with their content', async () => {
    const { files: again } = await buildDashboard();
    expect([...again].map(([path, { etag }]) => [path, etag])).toEqual(
      [...files].map(([path, { etag }]) => [path, etag]),
    );
    for (const path of files.keys()) expect(path).toMatch(/^\/($|icon\.svg$|assets\/[\w-]+-[0-9A-Z]{8}\.\w+$)/);
  });
});
