import nodeConsole from 'node:console';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import plugins from '../../infra/esbuild-plugins.ts';
import { lambdaBundle } from '../support/lambda-bundle.ts';
import { contentFaults, rebuilt } from './package-contents.ts';

const root = resolve(import.meta.dirname, '../..');
const bill = z.looseObject({ components: z.array(z.looseObject({ name: z.string() })) });

/** The files that serverless-esbuild packs for the reactor. */
let packed: string;
let again: Awaited<ReturnType<typeof rebuilt>>;
beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-contents-'));
  // CycloneDX's plugin creates its own console, which Vitest's replacement does not support.
  vi.stubGlobal('console', nodeConsole);
  await build({
    ...lambdaBundle(),
    entryPoints: ['services/reactor/handler.ts'],
    absWorkingDir: root,
    outdir: join(directory, 'services/reactor'),
    outExtension: { '.js': '.mjs' },
    plugins: [...plugins()],
  });
  packed = join(directory, '__only_reactor');
  renameSync(join(directory, 'services'), join(packed, 'services'));
  again = await rebuilt('reactor');
});
afterAll(() => rmSync(resolve(packed, '..'), { recursive: true, force: true }));

/** The faults of a copy in which one file is edited. */
function faultsAfter(file: string, edit: (text: string) => string): readonly string[] {
  const copy = mkdtempSync(join(tmpdir(), 'rollcall-contents-'));
  try {
    cpSync(packed, copy, { recursive: true });
    const before = readFileSync(join(copy, file), 'utf8');
    const after = edit(before);
    expect(after).not.toBe(before);
    writeFileSync(join(copy, file), after);
    return contentFaults('reactor', copy, again);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function editBill(edit: (components: readonly { readonly name: string }[]) => readonly unknown[]) {
  return (text: string): string => {
    const read = bill.parse(JSON.parse(text));
    return JSON.stringify({ ...read, components: edit(read.components) });
  };
}

describe('a function package', () => {
  it('has a bill of materials and licence texts for exactly the packages in its bundle', () => {
    expect(again.packages.map(({ name }) => name)).toEqual(expect.arrayContaining(['@aws-sdk/client-dynamodb', 'zod']));
    expect(contentFaults('reactor', packed, again)).toEqual([]);
  });

  it('is rejected if its bill lacks a package, or lists an additional one', () => {
    const without = editBill((components) => components.filter(({ name }) => name !== 'zod'));
    expect(faultsAfter('sbom.cdx.json', without)).toContainEqual(expect.stringMatching(/sbom.cdx.json lacks zod@/));
    const more = editBill((components) => [
      ...components,
      { ...components[0], group: undefined, name: 'vitest', version: '1.0.0' },
    ]);
    expect(faultsAfter('sbom.cdx.json', more)).toContainEqual(
      expect.stringContaining('lists vitest@1.0.0, which is not in the bundle'),
    );
  });

  it('is rejected if a licence text is missing', () => {
    const shortened = (text: string) => text.replaceAll('Permission is hereby granted', '');
    expect(faultsAfter('THIRD-PARTY-NOTICES.txt', shortened)).toContainEqual(
      expect.stringMatching(/lacks the licence text of zod@/),
    );
    const unnamed = (text: string) => text.replace(/\nzod@\S+ \(MIT\)/, '');
    expect(faultsAfter('THIRD-PARTY-NOTICES.txt', unnamed)).toContainEqual(
      expect.stringMatching(/THIRD-PARTY-NOTICES.txt lacks zod@/),
    );
  });

  it('is rejected if its bundle differs from the sources', () => {
    expect(faultsAfter('services/reactor/handler.mjs', (text) => `${text};`)).toEqual([
      'reactor.zip has another bundle than its sources make',
    ]);
  });

  it('is rejected without a bill', () => {
    expect(contentFaults('reactor', join(packed, 'services'), again)).toEqual([
      'reactor.zip has no sbom.cdx.json',
      'reactor.zip has no THIRD-PARTY-NOTICES.txt',
    ]);
  });
});
