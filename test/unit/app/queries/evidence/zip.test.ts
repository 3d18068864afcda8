import { describe, expect, it } from 'vitest';
import { EvidenceTooLargeError, ZipWriter } from '../../../../../shared/app/queries/evidence/zip.ts';

describe('a ZIP file without ZIP64', () => {
  it('accepts the maximum number of files, and refuses the next one before it is written', () => {
    const zip = new ZipWriter({ bytes: 10_000, files: 2 });
    zip.add('a', 'one');
    zip.add('b', 'two');
    expect(() => zip.open('c')).toThrow(EvidenceTooLargeError);
    zip.end();
    expect(Buffer.concat(zip.take()).includes('b')).toBe(true);
  });

  it('refuses content and a whole file above its size, with a remedy', () => {
    const zip = new ZipWriter({ bytes: 1_000, files: 10 });
    const file = zip.open('a');
    file.write(new Uint8Array(1_000));
    expect(() => file.write(new Uint8Array(1))).toThrow('choose a shorter period');
    const random = new ZipWriter({ bytes: 1_000, files: 10 });
    for (const name of ['a', 'b']) random.add(name, crypto.getRandomValues(new Uint8Array(600)));
    expect(() => random.take()).toThrow(EvidenceTooLargeError);
  });
});
