import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runResume } from '../../services/cli/commands/controls.ts';
import { ACTORS, BURST } from '../../services/cli/demo/cast.ts';
import { FIRST_MS } from '../../services/cli/demo/story.ts';
import { status } from '../../shared/app/queries/status.ts';
import type { LedgerEntry } from '../../shared/domain/ledger/entry.ts';
import { openCheckpoint } from '../../shared/domain/transparency/checkpoint.ts';
import { noteVerifier } from '../../shared/domain/transparency/note-verifier.ts';
import { publicKeyOf } from '../../shared/domain/transparency/public-key.ts';
import { verifierKey } from '../../shared/domain/transparency/verifier-key.ts';
import { SimulatedDemo } from './simulated-demo.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The run ends after the cool-down and the second change freeze. */
const HOURS = 25.5;
/** How late the story may be, ms. It is usually less than a second late; once it was 5.06 s, for an unknown reason. */
const TOUR_LATE_MS = 10_000;
/** Accounts that the policy manages. */
const MANAGED = 490;

/** A drift, from its detection. */
interface Drift {
  readonly entry: LedgerEntry;
  /** How long it was open, ms; `null`: it still is. */
  readonly openMs: number | null;
}

describe('the demo, for a day and two hours of simulated time (seed 1)', () => {
  let demo: SimulatedDemo;
  let entries: readonly LedgerEntry[] = [];
  let ready = 0;
  let contested = '';
  let bytes = { early: 0, late: 0 };
  let code = -1;
  let key: KeyObject | null = null;
  let end: Awaited<ReturnType<typeof status>>;

  const at = ({ at: time }: LedgerEntry): number => Date.parse(time);
  const ofType = (type: LedgerEntry['type']): readonly LedgerEntry[] => entries.filter((entry) => entry.type === type);

  /** The drifts of the story. */
  const drifts = (): readonly Drift[] =>
    ofType('DriftDetected')
      .filter((entry) => at(entry) >= ready)
      .map((entry) => {
        const { accountId, enrollment } = entry;
        const resolved = ofType('DriftResolved').find(
          (each) => each.accountId === accountId && each.enrollment === enrollment && each.at >= entry.at,
        );
        return { entry, openMs: resolved === undefined ? null : at(resolved) - at(entry) };
      });
  const by = (drift: Drift, ...actors: readonly ((accountId: string) => string)[]): boolean =>
    actors.some((actor) => actor(drift.entry.accountId ?? '') === drift.entry.detail?.changedBy?.actor);

  beforeAll(async () => {
    demo = new SimulatedDemo();
    await demo.untilSaid(/Ctrl-C ends the demo/);
    ready = demo.clock.now();
    await demo.untilSaid(/contested:/);
    [, contested = ''] = /\((\d{12})\) stays as it is/.exec(demo.texts().join('\n')) ?? [];
    await demo.untilHour(1);
    expect(await demo.command((context) => runResume(context, [contested], {}))).toBe(0);
    await demo.untilHour(2);
    bytes = { early: demo.storeBytes(), late: 0 };
    await demo.untilHour(23);
    entries = await demo.entries();
    await demo.untilHour(HOURS);
    bytes = { ...bytes, late: demo.storeBytes() };
    // The retention has removed the entries of the first hours.
    const known = new Set(entries.map(({ id }) => id));
    entries = [...entries, ...(await demo.entries()).filter(({ id }) => !known.has(id))];
    end = await demo.read((store) => status(store, { now: demo.clock.now() }));
    key = createPrivateKey(readFileSync(join(demo.dataDir, 'checkpoint-key.pem')));
    code = await demo.stop();
  }, 300_000);
  afterAll(() => demo.stop());

  test('prints a tour that names the accounts and the times of what follows', () => {
    const tour = demo.texts().slice(
      0,
      demo.texts().findIndex((text) => text.startsWith('Ctrl-C')),
    );
    const promised = (title: string): number => {
      const [, minutes = '0', seconds = '0'] =
        new RegExp(`${title} \\(from (?:(\\d+)m ?)?(?:(\\d+)s)? on\\)`).exec(tour.join('\n')) ?? [];
      return (Number(minutes) * 60 + Number(seconds)) * 1_000;
    };
    const begins = {
      'Drift that is fixed within seconds': /fixed: /,
      'An account that waits': /so it waits/,
      'An account that needs you': /contested: /,
      'A plan that needs approval': /held up: /,
    };
    for (const [title, line] of Object.entries(begins)) {
      const late = demo.timeOf(line) - ready - promised(title);
      expect(late, title).toBeLessThan(TOUR_LATE_MS);
      expect(late, title).toBeGreaterThan(-15_000);
    }
    expect(tour.filter((text) => text.includes(`/account?id=${contested}`))).toHaveLength(1);
    expect(tour.filter((text) => text.trimStart() === `rollcall resume ${contested}`)).toHaveLength(1);
    const commands = tour.map((text) => text.trim());
    const proof = [
      'rollcall audit verify',
      'END=$(date -u +%FT%TZ)',
      'rollcall scan',
      'rollcall evidence --since 1d --until $END --out evidence.zip',
      'rollcall audit checkpoint --key',
    ];
    expect(commands.slice(commands.indexOf(proof[0] ?? ''))).toEqual([...proof, '']);
  });

  test('signs checkpoints of the whole day with a key of its own', () => {
    const signed = ofType('CheckpointPublished').map(({ detail }) => detail?.treeHead?.note ?? '');
    // Twice an hour, because each scan ends with one.
    expect(signed.length).toBeGreaterThan(40);
    const publicKey = (key === null ? null : publicKeyOf(key)) ?? expect.fail('no public key');
    for (const note of signed) {
      const [origin = ''] = note.split('\n');
      expect(
        openCheckpoint(note, { origin, log: [noteVerifier(verifierKey({ name: origin, ...publicKey }))] }),
      ).toBeDefined();
    }
  });

  test('prints no warning and no error, leaves no dead letter, and ends with Ctrl-C', () => {
    expect(demo.texts().filter((text) => /\b(warning|error|failed:|pauses|retried)\b/i.test(text))).toEqual([]);
    expect(end.queue.dead).toBe(0);
    expect(ofType('RemediationFailed')).toEqual([]);
    expect(code).toBe(130);
  });

  test('fixes what people change within seconds, and names them', () => {
    const everyday = drifts().filter((drift) => by(drift, ...ACTORS.everyday));
    expect(everyday.length).toBeGreaterThan(120);
    const times = everyday.map(({ openMs }) => openMs ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
    expect(times[Math.floor(times.length * 0.95)]).toBeLessThan(5_000);
    expect(times.at(-1)).toBeLessThan(20 * MINUTE);
    // Only the account that joined drifted by itself.
    const unnamed = drifts().filter(({ entry }) => entry.detail?.changedBy === undefined);
    expect([...new Set(unnamed.map(({ entry }) => entry.accountId))]).toEqual(['555500001111']);
  });

  test('is compliant nearly all the time', () => {
    const open = drifts().map(({ entry, openMs }) => openMs ?? demo.clock.now() - at(entry));
    const share = 1 - open.reduce((sum, ms) => sum + ms, 0) / (MANAGED * HOURS * HOUR);
    expect(share).toBeGreaterThan(0.995);
    expect(end.openDrift).toMatchObject({ toFix: 0, unknown: 0, inProgress: 0 });
  });

  test('an account is contested soon, stays as it is, and is fixed after it is settled; the next one follows', () => {
    const flaps = ofType('FlapDetected');
    expect(flaps.map(({ accountId }) => accountId)).toHaveLength(2);
    expect(at(flaps[0] ?? expect.fail()) - ready).toBeLessThan(3 * MINUTE);
    const changes = ofType('RemediationStarted').filter(({ accountId }) => accountId === contested);
    const settled = ofType('AccountResumed').find(({ accountId }) => accountId === contested) ?? expect.fail();
    const since = flaps[0]?.at ?? '';
    expect(changes.filter((entry) => entry.at > since && entry.at < settled.at)).toEqual([]);
    expect(changes.filter((entry) => entry.at >= settled.at)).toHaveLength(1);
    expect(demo.texts().join('\n')).toContain(`(${contested}) is settled: nightly-apply no longer manages it`);
    expect(end.openDrift.needAttention).toBe(1);
  });

  test('an account waits for its cool-down, is fixed a day later, and is not called fixed before', () => {
    const [first, second, ...more] = drifts().filter((drift) => by(drift, ACTORS.coolDown));
    expect(more).toEqual([]);
    expect(first?.openMs).toBeGreaterThanOrEqual(DAY);
    expect(first?.openMs).toBeLessThan(DAY + 10 * MINUTE);
    expect(second?.openMs).toBeNull();
    const fixed = demo.lines.filter(
      ({ text }) => text.includes(`fixed:`) && text.includes(first?.entry.accountId ?? '-'),
    );
    expect(fixed.map(({ at: time }) => time >= ready + DAY)).toEqual([true]);
  });

  test('a plan asks for approval: all accounts of the script, and nothing else', () => {
    const burst = drifts().filter((drift) => by(drift, ACTORS.burst));
    // Twice: the second freeze begins after 25 hours.
    expect(burst).toHaveLength(2 * BURST);
    expect(burst.filter(({ openMs }) => openMs === null || openMs < 9 * MINUTE || openMs > 15 * MINUTE)).toEqual([]);
    const held = demo.texts().filter((text) => text.includes('held up:'));
    expect(held.map((text) => text.replace(/^.*held up: |\. Approve.*$/g, ''))).toEqual([
      `${BURST} changes exceed maxChanges`,
      `${BURST} changes exceed maxChanges`,
    ]);
    expect(demo.timeOf(/held up:/) - ready).toBeLessThan(FIRST_MS.incident + 30_000);
    expect(ofType('PlanApproved')).toHaveLength(2);
  });

  test('is never halted, and its guardrail stops nothing but the plan of the script', () => {
    expect(ofType('EnforcementHalted')).toEqual([]);
    const accounts = new Set(
      drifts()
        .filter((drift) => by(drift, ACTORS.burst))
        .map(({ entry }) => entry.accountId),
    );
    const stopped = ofType('RemediationBlocked').filter(({ reason }) => reason === 'guardrail');
    expect(stopped.length).toBeGreaterThan(0);
    expect(stopped.filter(({ accountId }) => !accounts.has(accountId))).toEqual([]);
    expect(new Set(ofType('GuardrailTripped').map(({ reason }) => reason))).toEqual(new Set(['maxChanges']));
  });

  test('writes few entries an hour, and its store does not grow', () => {
    const hours = Array.from({ length: 22 }, (_, n) => {
      const from = ready + (n + 1) * HOUR;
      return entries.filter((entry) => at(entry) >= from && at(entry) < from + HOUR).length;
    });
    expect(Math.max(...hours)).toBeLessThan(100);
    expect(bytes.late).toBeLessThan(2 * bytes.early);
  });
});
