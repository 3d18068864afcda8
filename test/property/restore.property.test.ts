import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { carriedFrom } from '../../shared/app/guardrails/rolling-changes.ts';
import { ROLLING_MS } from '../../shared/domain/decision/guardrails.ts';
import { type Controls, compileControls, restoredControls } from '../../shared/domain/decision/operator-controls.ts';
import { accountId } from '../support/workshop.ts';

const NOW = Date.UTC(2026, 2, 1);
const IDS = [1, 2, 3, 4].map(accountId);
const HOUR = 3_600_000;

const anyTime = fc.integer({ min: -5, max: 5 }).map((hours) => NOW + hours * HOUR);
const anyControls: fc.Arbitrary<Controls> = fc.record({
  halt: fc.option(fc.record({ id: fc.string(), at: anyTime, by: fc.string(), reason: fc.option(fc.string()) })),
  suspensions: fc.uniqueArray(
    fc.record({
      id: fc.string(),
      selector: fc.oneof(
        fc.constant('all'),
        fc.subarray(IDS, { minLength: 1 }).map((ids) => ids.join(',')),
      ),
      reason: fc.option(fc.string()),
      until: fc.option(anyTime),
      at: anyTime,
      by: fc.string(),
    }),
    { selector: ({ selector }) => selector },
  ),
  notices: fc.constant([]),
});

it('restored controls are halted, and keep every suspension of both stores', () => {
  fc.assert(
    fc.property(anyControls, fc.option(anyControls), (backup, replaced) => {
      const ids = Array.from({ length: 20 }, (_, n) => `id-${n}`);
      const newId = () => ids.pop() ?? 'none';
      const act = { id: 'restore', at: NOW, by: 'user:ben' };
      const { controls, kept } = restoredControls(backup, replaced, { act, why: 'restored', newId });
      expect(controls.halt).toMatchObject({ by: 'user:ben', at: NOW });
      const [ours, theirs, merged] = [backup, replaced ?? backup, controls].map(compileControls);
      for (const id of IDS) {
        for (let hour = 0; hour <= 6; hour += 1) {
          const at = NOW + hour * HOUR;
          const holds = [ours, theirs].some((each) => each?.suspensionById(id, at) !== null);
          expect(merged?.suspensionById(id, at) !== null).toBe(holds);
        }
      }
      // The notices have the halt and every suspension that the backup lacks.
      expect(controls.notices).toHaveLength(kept.length + 1);
      expect(new Set(controls.notices.map(({ id }) => id)).size).toBe(kept.length + 1);
    }),
  );
});

const anyChanges = fc
  .dictionary(fc.constantFrom(...IDS), fc.record({ at: fc.integer({ min: -30, max: 0 }), optOut: fc.boolean() }))
  .map((changes) => {
    const entries = Object.entries(changes).map(
      ([id, { at, optOut }]): [string, { at: number; optOutAt: number | null }] => {
        const when = NOW + at * HOUR;
        return [id, { at: when, optOutAt: optOut ? when : null }];
      },
    );
    return new Map(entries);
  });

it('the changes that count after a restore are the union of both stores', () => {
  fc.assert(
    fc.property(fc.array(anyChanges, { maxLength: 4 }), (parts) => {
      const carried = carriedFrom(parts, NOW);
      for (const id of IDS) {
        const counted = parts.flatMap((part) => part.get(id) ?? []).filter(({ at }) => at >= NOW - ROLLING_MS);
        expect(carried[id] !== undefined).toBe(counted.length > 0);
        expect((carried[id]?.[1] ?? null) !== null).toBe(counted.some(({ optOutAt }) => optOutAt !== null));
      }
    }),
  );
});
