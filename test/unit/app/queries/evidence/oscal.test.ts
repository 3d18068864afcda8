import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { uuidOf } from '../../../../../shared/app/queries/evidence/oscal/uuid.ts';
import type { OrganizationSnapshot } from '../../../../../shared/ports/cloud.ts';
import { type Bench, makeBench } from '../../../../adapters/embedded/stores.ts';
import { account, FACET, FIRST, facts, sealAll, time } from '../../../../contract/samples.ts';
import { pack } from '../../../../support/evidence-kit.ts';
import { ORIGIN, TestLog, testKey } from '../../../../support/evidence-log.ts';
import { history } from './history.ts';

/** The schema that NIST publishes. */
const SCHEMA = new URL('../../../../support/oscal/assessment-results-1.2.1.json', import.meta.url);
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);
const validate = ajv.compile(z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(SCHEMA, 'utf8'))));

const PERIOD = { since: time(0), until: time(86_400_000) };
let bench: Bench;
beforeEach(() => {
  bench = makeBench();
});
afterEach(() => bench.dispose());

const text = z.object({ uuid: z.string(), title: z.string(), description: z.string() });
const resultShape = z.object({
  findings: z
    .array(
      text.extend({
        target: z.object({ status: z.object({ state: z.string() }) }),
        'related-observations': z.array(z.object({ 'observation-uuid': z.string() })).optional(),
      }),
    )
    .default([]),
  observations: z.array(text.extend({ subjects: z.array(z.object({ 'subject-uuid': z.string() })) })).optional(),
  'assessment-log': z.object({ entries: z.array(z.object({ title: z.string() })) }).optional(),
  'local-definitions': z.object({ 'inventory-items': z.array(z.object({ uuid: z.string() })).optional() }),
});
const shape = z.object({
  'assessment-results': z.object({
    results: z.tuple([resultShape]),
    'back-matter': z.object({ resources: z.array(text.partial()) }),
  }),
});

async function oscalOf(snapshot: OrganizationSnapshot | null = null, log?: TestLog) {
  const store = await bench.open();
  const load = async () => snapshot;
  const packed = await pack(
    { ledger: store.ledger, snapshots: { load } },
    { ...PERIOD, ...(log !== undefined && { log }) },
  );
  const document: unknown = JSON.parse(packed.text('oscal-assessment-results.json'));
  validate(document);
  expect(validate.errors ?? []).toEqual([]);
  return { document: shape.parse(document)['assessment-results'], packed };
}

describe('OSCAL assessment results', () => {
  test('of an organization that complies are valid, and satisfied', async () => {
    const { ledger } = await bench.open();
    const all = history();
    await ledger.append(all);
    const log = new TestLog(testKey());
    log.append(all);
    await log.publish(PERIOD.until);
    const { document, packed } = await oscalOf(null, log);
    const [result] = document.results;
    expect(result.findings).toMatchObject([
      { description: '1 of 1 account complies at the end of the period.', target: { status: { state: 'satisfied' } } },
    ]);
    expect(result.observations).toBeUndefined();
    const titles = document['back-matter'].resources.map(({ title }) => title);
    expect(titles).toContain('The signed checkpoint that covers the entries');
    expect(titles).toContain(`Policy in force from ${time(0)} to ${PERIOD.until}`);
    expect(packed.text('oscal-assessment-results.json')).toContain(ORIGIN);
  });

  test('name each account that does not comply, whatever names its organization and its rules have', async () => {
    const { ledger } = await bench.open();
    const rule = ' ünïcode rule\n#1 ';
    for (const n of [1, 2, 3]) {
      await ledger.append(
        sealAll(account(n), [
          {
            type: 'AccountJoined',
            enrollment: null,
            at: time(1),
            detail: { facets: { [FIRST]: FACET }, rules: { [FIRST]: rule } },
          },
        ]),
      );
    }
    const run = { runId: 'run-1', enrollment: null };
    await ledger.append(
      sealAll('organization', [
        { ...run, type: 'ScanStarted', at: time(0) },
        { ...run, type: 'ScanCompleted', at: time(2) },
        { ...run, runId: 'run-2', type: 'ScanStarted', at: time(3) },
      ]),
    );
    const accounts = [facts(1, { name: '  ', ou: '/' }), facts(2, { name: 'a\u0000\nb' })];
    const snapshot = { organizationId: 'o-test', managementAccountId: account(1), takenAt: 0, tags: true, accounts };
    const { document } = await oscalOf(snapshot);
    const [result] = document.results;
    const [found] = result.findings;
    expect(found).toMatchObject({ target: { status: { state: 'not-satisfied' } } });
    const observed = (result.observations ?? []).map(({ uuid }) => uuid);
    expect(observed).toHaveLength(3);
    expect(found?.['related-observations']?.map((each) => each['observation-uuid'])).toEqual(observed);
    const subjects = result.observations?.flatMap((each) => each.subjects.map((subject) => subject['subject-uuid']));
    expect(subjects).toEqual(result['local-definitions']['inventory-items']?.map(({ uuid }) => uuid));
    expect(result['assessment-log']?.entries.map(({ title }) => title)).toEqual([
      'Scan',
      'Scan without an end in this period',
    ]);
  });

  test('of a store without entries are valid', async () => {
    const { packed } = await oscalOf();
    expect(packed.summary.entries.period).toBe(0);
  });

  test('have UUIDs that follow from what they name', () => {
    expect(uuidOf('a', 'b')).toBe(uuidOf('a', 'b'));
    expect(uuidOf('a', 'b')).not.toBe(uuidOf('a b'));
    expect(uuidOf('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
