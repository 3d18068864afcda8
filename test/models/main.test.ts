import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { automationModel } from './automation-models.ts';
import { acceptOperations, exitCode, type ServiceResult } from './check.ts';

const main = join(import.meta.dirname, 'main.ts');

/** A zip file of stored entries, without checksums, which the reader does not look at. */
function zip(files: Readonly<Record<string, Buffer>>): Buffer {
  const [local, central]: [Buffer[], Buffer[]] = [[], []];
  for (const [name, content] of Object.entries(files)) {
    const common = Buffer.alloc(26);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const at = Buffer.alloc(14);
    at.writeUInt32LE(Buffer.concat(local).length, 10);
    local.push(Buffer.from('PK\x03\x04'), common, Buffer.from(name), content);
    central.push(Buffer.from('PK\x01\x02'), Buffer.alloc(2), common, at, Buffer.from(name));
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(Object.keys(files).length, 6);
  end.writeUInt32LE(Buffer.concat(local).length, 12);
  return Buffer.concat([...local, ...central, Buffer.from('PK\x05\x06'), end]);
}

const FOLDER = 'botocore/data/compute-optimizer-automation';
const METADATA = { 'botocore-1.44.8.dist-info/METADATA': Buffer.from('Name: botocore\n') };

describe('npm run models', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'rollcall-wheel-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function run(name: string, files: Readonly<Record<string, Buffer>>) {
    const wheel = join(directory, name);
    writeFileSync(wheel, zip(files));
    return spawnSync(process.execPath, [main, '--installed', '--botocore', wheel], { encoding: 'utf8' });
  }

  it('takes the newest model in the wheel, and the clients for services that the wheel lacks', () => {
    const { stdout, stderr, status } = run('slice.whl', {
      ...METADATA,
      [`${FOLDER}/2024-01-01/service-2.json`]: Buffer.from('{}'),
      [`${FOLDER}/2025-09-22/service-2.json.gz`]: gzipSync(JSON.stringify(automationModel('botocore', 'after'))),
    });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/aco-automation: botocore 1\.44\.8$/m);
    expect(stdout).toMatch(/compute-optimizer: @aws-sdk\/client-compute-optimizer 3\./);
    // npm's client of Cost Optimization Hub is not installed.
    expect(stdout).toMatch(/Could not compare\n {2}cost-optimization-hub: [^\n]*\n\n/);
    // The installed STS client is older than the model, which is a difference.
    expect(status).toBe(1);
  });

  it('says which service could not be compared', () => {
    const { stdout } = run('empty.whl', METADATA);
    expect(stdout).toContain(
      'Could not compare\n  aco-automation: botocore 1.44.8 does not contain it; @aws-sdk/client-compute-optimizer-automation is not installed',
    );
  });

  it('exits 2 for an unknown option', () => {
    const { stderr, status } = spawnSync(process.execPath, [main, '--wheel'], { encoding: 'utf8' });
    expect(stderr).toContain("Could not compare: Unknown option '--wheel'");
    expect(status).toBe(2);
  });

  it('exits 2 if the file is not a wheel', () => {
    const { stderr, status } = run('other.zip', { 'readme.txt': Buffer.from('hello') });
    expect(stderr).toContain('not a botocore wheel');
    expect(status).toBe(2);
  });
});

describe('the result', () => {
  const same: ServiceResult = {
    service: 'a',
    sources: ['x'],
    differences: [],
    failures: [],
    notes: [],
    operations: ['Get'],
  };
  const failed = { ...same, sources: [], failures: ['offline'], operations: [] };
  const change = { operation: null, place: 'Put', change: 'operation added', before: null, after: 'Put' } as const;

  it('has an exit code', () => {
    expect(exitCode([same])).toBe(0);
    expect(exitCode([same, failed])).toBe(2);
    expect(exitCode([{ ...same, differences: [change] }, failed])).toBe(1);
  });

  it('records new operations and keeps the known ones', () => {
    expect(acceptOperations({ a: ['List'], b: ['Old'] }, [same, { ...failed, service: 'b' }])).toEqual({
      a: ['Get', 'List'],
      b: ['Old'],
    });
  });
});
