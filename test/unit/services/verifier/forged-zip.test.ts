import { unzipSync, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { tampered } from '../../../support/tampered-zip.ts';
import { evidence, failed, verified } from './bed.ts';

const EXTRA = new TextEncoder().encode('extra');

/** The ZIP file with one more file, which SHA256SUMS lists. */
const withFile = (zip: Uint8Array, name: string, content = EXTRA): Uint8Array =>
  tampered(zip, (files) => {
    files[name] = content;
  });

/** Offsets of all places with these bytes. */
function places(zip: Uint8Array, part: string): readonly number[] {
  const bytes = Buffer.from(zip);
  const found: number[] = [];
  for (let at = bytes.indexOf(part); at !== -1; at = bytes.indexOf(part, at + 1)) found.push(at);
  return found;
}

function patched(zip: Uint8Array, at: number, bytes: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(zip);
  copy.set(bytes, at);
  return copy;
}

describe('a file that was added', () => {
  test.each([
    '../evil.txt',
    '/etc/evil',
    'C:\\evil.txt',
    'Changes.csv',
    'REPORT.JSON',
    'changes\u0000.csv',
    'cha\u200bnges.csv',
    'policies/',
    'policies/../report.json',
    'log/tile/../x',
    'constructor',
    'checkpoints/x.txt',
    `${'a'.repeat(60_000)}.txt`,
  ])('%j', async (name) => {
    const { zip, key } = await evidence();
    const result = await verified(withFile(zip, name), key);
    expect(result.verdict).toBe('failed');
    expect(failed(result)).toContain('which is not a file of evidence');
    expect(failed(result)?.length).toBeLessThan(300);
  });

  test.each([
    ['policies/0009-abcdefabcdef.yaml', 'policies/index.json does not name policies/0009-abcdefabcdef.yaml'],
    ['checkpoints/20260301T000000Z-7.txt', 'evidence.json does not name checkpoints/20260301T000000Z-7.txt'],
    ['log/tile/0/007', 'log/tile/0/007'],
  ])('%s', async (name, message) => {
    const { zip, key } = await evidence();
    expect(failed(await verified(withFile(zip, name), key))).toContain(message);
  });
});

describe('a ZIP file that programs read differently', () => {
  test('two files of one name', async () => {
    const { zip, key } = await evidence();
    const renamed = withFile(zip, 'report.jsom');
    const forged = places(renamed, 'report.jsom').reduce<Uint8Array>(
      (bytes, at) => patched(bytes, at, [...Buffer.from('report.json')]),
      renamed,
    );
    expect(failed(await verified(forged, key))).toContain('two files with the name "report.json"');
  });

  test('a name in the header that differs from the directory', async () => {
    const { zip, key } = await evidence();
    const [first = expect.fail()] = places(zip, 'report.json');
    expect(failed(await verified(patched(zip, first, [0x52]), key))).toContain('the header of "report.json" differs');
  });

  test('a size that cuts the end off', async () => {
    const { zip, key } = await evidence();
    const forged = tampered(zip, () => undefined);
    const shorter = places(forged, 'changes.csv').reduce<Uint8Array>((bytes, at, n) => {
      const field = n === 0 ? at - 8 : at - 22;
      return patched(bytes, field, [(bytes[field] ?? 0) - 1]);
    }, forged);
    expect(failed(await verified(shorter, key))).toContain('"changes.csv" is damaged');
  });

  test.each<readonly [string, (zip: Uint8Array) => Uint8Array]>([
    ['in front', (zip) => Buffer.concat([EXTRA, zip])],
    ['behind', (zip) => Buffer.concat([zip, EXTRA])],
    ['a second ZIP file behind', (zip) => Buffer.concat([zip, zip])],
    ['a comment', (zip) => Buffer.concat([patched(zip, zip.length - 2, [5, 0]), EXTRA])],
  ])('something %s', async (_, change) => {
    const { zip, key } = await evidence();
    expect((await verified(change(zip), key)).verdict).toBe('failed');
  });
});

describe('a ZIP bomb', () => {
  test('that compresses well', async () => {
    const { zip, key } = await evidence();
    const bomb = (files: Record<string, Uint8Array>): void => {
      files['report.json'] = new Uint8Array(80_000_000);
    };
    const forged = tampered(zip, bomb, { level: 9 });
    expect(failed(await verified(forged, key))).toContain('more than 100 times as large when unpacked');
  });

  test('that states 2 GB without having them', async () => {
    const { zip, key } = await evidence();
    const repacked = zipSync(unzipSync(zip));
    const forged = places(repacked, 'README.txt').reduce<Uint8Array>(
      (bytes, at, n) => patched(bytes, n === 0 ? at - 8 : at - 22, [0, 0, 0, 0x80]),
      repacked,
    );
    expect(failed(await verified(forged, key))).toBe(
      '"README.txt" states a size that its content cannot have: the ZIP file was edited.',
    );
  });
});

test('any file that is missing, empty or truncated', async () => {
  const { zip, key, names } = await evidence();
  for (const name of names) {
    for (const share of [null, 0, 0.5]) {
      const forged = tampered(
        zip,
        (files) => {
          const bytes = files[name] ?? expect.fail();
          if (share === null) delete files[name];
          else files[name] = bytes.subarray(0, bytes.length * share);
        },
        { sums: false },
      );
      expect((await verified(forged, key)).verdict, `${name} ${share}`).toBe('failed');
    }
  }
});
