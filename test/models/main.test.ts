import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { automationModel } from './automation-models.ts';
import { acceptOperations, checkService, exitCode, type KnownOperations, type ServiceResult } from './check.ts';
import known from './known-operations.json' with { type: 'json' };
import { botocoreWheel } from './published.ts';
import { usedServices } from './used.ts';

const KNOWN: KnownOperations = known;
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

  function wheelOf(name: string, files: Readonly<Record<string, Buffer>>): string {
    const path = join(directory, name);
    writeFileSync(path, zip(files));
    return path;
  }

  const run = (wheel: string, ...args: readonly string[]) =>
    spawnSync(process.execPath, [main, '--installed', '--botocore', wheel, ...args], { encoding: 'utf8' });

  const automation = (content: unknown) => ({
    ...METADATA,
    [`${FOLDER}/2024-01-01/service-2.json`]: Buffer.from('{}'),
    [`${FOLDER}/2025-09-22/service-2.json.gz`]: gzipSync(JSON.stringify(content)),
  });

  it('takes the newest model in the wheel', () => {
    const { stdout, stderr, status } = run(wheelOf('slice.whl', automation(automationModel('botocore', 'after'))));
    expect(stderr).toBe('');
    expect(stdout).toMatch(/aco-automation: botocore 1\.44\.8$/m);
    // What else differs, or cannot be compared, depends on the clients that are installed.
    const differences = Number(/^(\d+) differences? in \d+ services$/m.exec(stdout)?.[1]);
    const unread = stdout.includes('Could not compare\n') ? 2 : 0;
    expect(status).toBe(differences > 0 ? 1 : unread);
  });

  it('exits 1 for a difference, whatever is installed', () => {
    const { stdout, status } = run(wheelOf('before.whl', automation(automationModel('botocore', 'before'))));
    expect(stdout).toContain('operation removed: PutOrganizationEnrollmentConfiguration');
    expect(status).toBe(1);
  });

  it('takes the clients for services that the wheel lacks, and says which service could not be compared', async () => {
    const wheel = wheelOf('empty.whl', METADATA);
    const reason = 'the client is not installed';
    const lacking = botocoreWheel(wheel, async () => ({ reason }));
    const [service = expect.fail('no service is used')] = usedServices().filter(
      ({ name }) => name === 'aco-automation',
    );
    const failures = [`botocore 1.44.8 does not contain it; ${reason}`];
    expect(await checkService(service, { sandbox: lacking, client: lacking }, {})).toMatchObject({
      failures,
      sources: [],
    });
    const [{ model } = expect.fail('no baseline')] = service.baselines;
    const found = botocoreWheel(wheel, async () => model);
    const checked = await checkService(service, { sandbox: found, client: found }, {});
    expect(checked).toMatchObject({ failures: [], differences: [], sources: [model.source] });
  });

  it('records the operations of a wheel as known', () => {
    const known = join(directory, 'known.json');
    writeFileSync(known, '{"aco-automation": ["Retired"], "other": ["Get"]}');
    const wheel = wheelOf('accepted.whl', automation(automationModel('botocore', 'after')));
    expect(run(wheel, '--known', known).stdout).toContain('operation added: AssociateAccounts');
    run(wheel, '--known', known, '--accept');
    const recorded: unknown = JSON.parse(readFileSync(known, 'utf8'));
    expect(recorded).toMatchObject({
      'aco-automation': expect.arrayContaining(['AssociateAccounts', 'Retired']),
      other: ['Get'],
    });
    expect(run(wheel, '--known', known).stdout).not.toContain('operation added: AssociateAccounts');
  });

  it('has recorded the operations of every service that Rollcall uses, so that new ones are reported', () => {
    for (const { name, baselines } of usedServices())
      for (const { operations } of baselines)
        expect([name, KNOWN[name]]).toEqual([name, expect.arrayContaining([...operations])]);
  });

  it('exits 2 for an unknown option', () => {
    const { stderr, status } = spawnSync(process.execPath, [main, '--wheel'], { encoding: 'utf8' });
    expect(stderr).toContain("Could not compare: Unknown option '--wheel'");
    expect(status).toBe(2);
  });

  it('exits 2 if the file is not a wheel', () => {
    const { stderr, status } = run(wheelOf('other.zip', { 'readme.txt': Buffer.from('hello') }));
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
