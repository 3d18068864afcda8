import { expect, test } from 'vitest';
import { heldText } from '../../../services/cli/demo/story.ts';

const command = (words: string): string => `rollcall ${words}`;
const plan = { planHash: '555384e032bc'.padEnd(64, '0'), changes: 3 };

test('the demo says what holds a plan up, and what to do about it', () => {
  const texts = (['maxChanges', 'halted', 'maxOptOuts'] as const).map((reason) =>
    heldText({ ...plan, trip: { reason, message: 'this plan opts 3 accounts out' } }, command),
  );
  expect(texts).toEqual([
    '  held up: 3 changes exceed maxChanges. Approve them on the overview, or: rollcall approve 555384e032bc',
    '  held up: 3 changes, because changes are halted. To allow them: rollcall resume',
    '  held up: 3 changes: this plan opts 3 accounts out',
  ]);
});
