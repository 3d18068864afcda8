import { describe, expect, it } from 'vitest';
import { acquireLease } from '../../../shared/app/coordination/lease.ts';
import { POLICY } from '../../../shared/app/coordination/policy-in-force.ts';
import { RunStore } from '../../../shared/app/coordination/run-store.ts';
import { approvalOf, approve, useApproval } from '../../../shared/app/guardrails/approvals.ts';
import { reserveChanges } from '../../../shared/app/guardrails/change-reservations.ts';
import { halt, readControls, resume, unhalt } from '../../../shared/app/guardrails/controls.ts';
import { changedRecently } from '../../../shared/app/guardrails/rolling-changes.ts';
import { LedgerWriter } from '../../../shared/app/ledger/ledger-writer.ts';
import { caughtUp, writeOrganizationEntry } from '../../../shared/app/ledger/write-entries.ts';
import { settleControls } from '../../../shared/app/operator/apply-controls.ts';
import { verifyLedger } from '../../../shared/app/queries/audit/verify.ts';
import { emptyRecord } from '../../../shared/domain/account/record.ts';
import { EMPTY_CHAIN, ORGANIZATION_CHAIN } from '../../../shared/domain/ledger/entry.ts';
import { account, chainOf, draft, FACET } from '../../contract/samples.ts';
import { compiled, policyText } from '../../support/world-policy.ts';
import {
  at,
  bench,
  copy,
  deps,
  expectWhole,
  lastEntry,
  restore,
  selectorOf,
  started,
  store,
  succeeded,
  suspendIt,
  useStoreAndBackup,
  write,
} from './restored-store.ts';

useStoreAndBackup();

const HOUR = 3_600_000;
const COUNTED = { counted: true, approved: [] };
describe('a restored store', () => {
  it('is always halted, and names file, actor and the earlier halt', async () => {
    await store.backup(copy);
    await halt(deps(), 'fire');
    const { report } = await restore();
    expect(report).toMatchObject({ replaced: 'store', merged: true });
    const { halt: set } = await readControls(store.registers);
    expect(set).toMatchObject({ by: 'user:ben' });
    expect(set?.reason).toMatch(
      new RegExp(`^restored from ${copy} by ben; already halted 20[^ ]+ \\d\\d:\\d\\d UTC by anna: fire$`),
    );
    await settleControls(deps());
    expect(await lastEntry('EnforcementHalted')).toMatchObject({ actor: 'user:ben', detail: { message: set?.reason } });
    // A second restore does not repeat the first one.
    await restore();
    expect((await readControls(store.registers)).halt?.reason).toBe(set?.reason);
    expect(await unhalt(deps())).toBe(true);
  });

  it('keeps the suspensions of both stores, with the later end of the two, and shows which it kept', async () => {
    const now = bench.clock.now();
    await suspendIt('ou:/A', now + HOUR);
    await suspendIt('ou:/B', now + HOUR);
    await suspendIt('ou:/Resumed');
    await settleControls(deps());
    await store.backup(copy);
    await suspendIt('ou:/A', null);
    await suspendIt('ou:/B', now + 60_000);
    await suspendIt('ou:/New');
    await resume(deps(), selectorOf('ou:/Resumed'));
    const { report } = await restore();
    expect([...report.suspensions].sort()).toEqual(['ou:/A', 'ou:/New']);
    const ends = (await readControls(store.registers)).suspensions.map(({ selector, until }) => [selector, until]);
    expect(ends.sort()).toEqual([
      ['ou:/A', null],
      ['ou:/B', now + HOUR],
      ['ou:/New', null],
      ['ou:/Resumed', null],
    ]);
    await settleControls(deps());
    const { entries } = await store.ledger.query({ type: 'AccountSuspended' }, { limit: 100 });
    expect(
      entries
        .filter(({ actor }) => actor === 'user:ben')
        .map(({ detail }) => detail?.selector)
        .sort(),
    ).toEqual(['ou:/A', 'ou:/New']);
  });

  it('records the replaced state, the file, and the entries missing in the backup', async () => {
    await store.ledger.append(chainOf(ORGANIZATION_CHAIN, 2));
    await store.backup(copy);
    await bench.clock.advance(HOUR);
    await writeOrganizationEntry(deps(), () =>
      draft({ chain: ORGANIZATION_CHAIN, type: 'ScanStarted', runId: 'run-7', at: at(), id: bench.newId() }),
    );
    await write(account(1), { reason: 'a' }, { reason: 'b' });
    const replaced = await store.ledger.head(ORGANIZATION_CHAIN);
    await bench.clock.advance(HOUR);
    const { report } = await restore();
    const when = bench.clock.now() - HOUR;
    expect(report.lost).toEqual({ entries: 3, from: when, to: when, runs: 1, runIds: ['run-7'] });
    const entry = await lastEntry('StoreRestored');
    expect(entry).toMatchObject({ chain: ORGANIZATION_CHAIN, seq: 3, actor: 'user:ben', accountId: null });
    expect(entry?.detail?.restore).toEqual({
      file: copy,
      replaced: { chain: ORGANIZATION_CHAIN, ...replaced },
      lost: { entries: 3, runs: 1, from: at(-HOUR), to: at(-HOUR) },
    });
    expect(await store.ledger.head(account(1))).toEqual(EMPTY_CHAIN);
    await expectWhole();
  });

  it('does not count approved changes of both stores against maxChanges, but keeps them, also as opt-outs', async () => {
    const approved = (name: string, optOut = false) => {
      const intent = started(name, optOut);
      return { ...intent, detail: { ...intent.detail, approvedPlan: 'plan' } };
    };
    await write(account(1), approved('one'), succeeded('one'));
    await store.backup(copy);
    await bench.clock.advance(HOUR);
    await write(account(2), approved('two'), succeeded('two'));
    await write(account(3), approved('three', true), succeeded('three'));
    const { report } = await restore();
    expect(report).toMatchObject({ changed: 1, optedOut: 1 });
    expect(await changedRecently(store, bench.clock.now())).toEqual(
      new Map([
        [account(1), { optOut: false, counted: false, approved: ['computeOptimizer'] }],
        [account(2), { optOut: false, counted: false, approved: ['computeOptimizer'] }],
        [account(3), { optOut: true, counted: false, approved: ['computeOptimizer'] }],
      ]),
    );
    // A second restore of the same backup keeps them, too.
    await restore();
    expect((await changedRecently(store, bench.clock.now())).size).toBe(3);
  });

  it('counts the changes and opt-outs of both stores towards the caps for 24 hours', async () => {
    await write(account(1), started('one'), succeeded('one'));
    await store.backup(copy);
    await bench.clock.advance(HOUR);
    await write(account(2), started('two', true), succeeded('two'));
    const reserved = { accountIds: [account(3)], optOutIds: new Set<string>(), approved: null, now: bench.clock.now() };
    await reserveChanges(store.registers, reserved, () => undefined);
    const { report } = await restore();
    expect(report).toMatchObject({ changed: 3, optedOut: 1 });
    const expected = new Map([
      [account(1), { optOut: false, ...COUNTED }],
      [account(2), { optOut: true, ...COUNTED }],
      [account(3), { optOut: false, ...COUNTED }],
    ]);
    expect(await changedRecently(store, bench.clock.now())).toEqual(expected);
    // A second restore of the same backup still counts them.
    await restore();
    expect(await changedRecently(store, bench.clock.now())).toEqual(expected);
    await bench.clock.advance(23 * HOUR + 1);
    expect([...(await changedRecently(store, bench.clock.now())).keys()]).toEqual([account(2), account(3)]);
    await bench.clock.advance(HOUR);
    expect((await changedRecently(store, bench.clock.now())).size).toBe(0);
  });

  it('revives no approval: used ones stay used, open ones expire', async () => {
    const policy = compiled(policyText(), bench.clock.now());
    await store.registers.write(POLICY.name, { hash: policy.hash }, null);
    const runs = new RunStore(store.registers);
    const hashes = ['a1', 'b2', 'c3'].map((digits) => digits.repeat(32));
    const [open = '', used = '', later = ''] = hashes;
    for (const hash of hashes) await runs.storePlan(hash, policy.hash, ['1 computeOptimizer'], bench.clock.now());
    const approver = { actor: 'user:anna', reason: null };
    await approve(deps(), open, approver);
    await approve(deps(), used, approver);
    const run = { runId: 'r', policy, planHash: used, approvedUntil: bench.clock.now() + HOUR };
    const counts = { startedAt: 0, accountsInScope: 10, planned: 5 };
    await runs.begin(run, counts);
    await store.backup(copy);
    await useApproval(store.registers, used, 'r', bench.clock.now());
    await runs.begin(run, { ...counts, stopped: { reason: 'failureTolerance', message: 'too many' } });
    await approve(deps(), later, approver);
    const { report } = await restore();
    expect(report.approvalsEnded).toBe(2);
    const now = bench.clock.now();
    expect(await approvalOf(store.registers, open)).toMatchObject({ usedAt: null, expiresAt: now });
    expect(await approvalOf(store.registers, used)).toMatchObject({ usedBy: 'r', expiresAt: now });
    expect(await approvalOf(store.registers, later)).toBeNull();
    expect(await new RunStore(store.registers).get('r')).toMatchObject({
      approvedUntil: now,
      stopped: { reason: 'failureTolerance' },
    });
    await expect(approve(deps(), used, approver)).rejects.toMatchObject({ code: 'ApprovalUsed' });
    expect((await approve(deps(), open, approver)).approval.actor).toBe('user:anna');
  });

  it('keeps the current leases, rate limits, alerts and publication marks', async () => {
    const first = await store.ledger.append(chainOf(account(1), 2));
    expect(first).toEqual(['appended', 'appended']);
    await store.registers.write('limiter/shared', { taken: 1 }, null);
    await store.registers.write('alerts', { mark: 1, seen: [], message: null }, null);
    await store.registers.write('checkpoint/run/1', 'answers', null);
    await acquireLease(store.registers, bench.clock, 'gone', 'before', 60_000);
    await store.backup(copy);
    await store.ledger.markPublished(chainOf(account(1), 1));
    const pace = await store.registers.read('limiter/shared');
    await store.registers.write('limiter/shared', { taken: 2 }, pace?.version ?? '');
    const alerts = await store.registers.read('alerts');
    await store.registers.write('alerts', { mark: 2, seen: [], message: null }, alerts?.version ?? '');
    const gone = await store.registers.read('lease/gone');
    await store.registers.remove('lease/gone', gone?.version ?? '');
    const held = await acquireLease(store.registers, bench.clock, 'scan', 'daemon', 60_000);
    await restore();
    expect((await store.registers.read('limiter/shared'))?.value).toEqual({ taken: 2 });
    expect((await store.registers.read('alerts'))?.value).toMatchObject({ mark: 2 });
    expect(await store.registers.read('checkpoint/run/1')).toBeNull();
    expect(await store.registers.read('lease/gone')).toBeNull();
    // The next renewal of the owner fails, and no other process acquires the lease before it expires.
    expect(await acquireLease(store.registers, bench.clock, 'scan', 'other', 60_000)).toMatchObject({
      holder: 'daemon',
    });
    expect('lease' in held && (await held.lease.renew())).toBe(false);
    const unpublished = await store.ledger.unpublished(10);
    expect(unpublished.map(({ type, seq }) => [type, seq])).toEqual([
      ['DriftDetected', 2],
      ['StoreRestored', 1],
    ]);
  });

  it('rejects records of the replaced store, whether ahead of the restored chain or divergent', async () => {
    await write(account(1), { after: FACET });
    await store.backup(copy);
    const [lost, twin] = [
      await write(account(1), { after: FACET, reason: 'lost' }, { after: FACET, reason: 'lost, too' }),
      await write(account(2), { after: FACET, reason: 'lost' }),
    ];
    await restore();
    const other = await write(account(2), { after: FACET, reason: 'of the restored store' });
    await store.records.advance([lost.record, twin.record]);
    expect((await store.records.get(account(1)))?.head.seq ?? 0).toBeLessThan(2);
    expect((await verifyLedger(store.ledger, store.records)).fault).toBeNull();
    // A process with such a record in memory appends to the current chain.
    const ledger = new LedgerWriter(deps());
    for (const record of [lost.record, twin.record]) {
      const { accountId } = record;
      const next = draft({ chain: accountId, at: at(), id: bench.newId(), after: FACET });
      const written = await ledger.write(accountId, () => [next], record);
      await ledger.settled(accountId);
      const replayed = await caughtUp(deps(), emptyRecord(accountId));
      expect(written.record).toEqual(replayed);
      expect(await store.records.get(accountId)).toEqual(replayed);
    }
    expect(other.entries).toHaveLength(1);
    await expectWhole();
  });

  it('never reuses a register version', async () => {
    const versions = new Set<string | undefined>();
    await store.registers.write('controls-like', 1, null);
    await store.backup(copy);
    for (let round = 0; round < 3; round += 1) {
      await restore();
      for (const { version } of await store.registers.list('')) {
        expect(versions.has(version)).toBe(false);
        versions.add(version);
      }
    }
  });
});
