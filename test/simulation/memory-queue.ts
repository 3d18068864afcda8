import { type Lane, laneOf } from '../../shared/domain/work-lane.ts';
import { type WorkMessage, workMessageSchema } from '../../shared/domain/work-message.ts';
import type { DeadLetter, DeadLetters, Delivery, SendOptions, WorkQueue } from '../../shared/ports/queue.ts';
import { readMessage } from '../../shared/ports/read-message.ts';
import type { Quirks, StoreClock } from './memory-parts.ts';

interface Held {
  readonly body: string;
  readonly lane: Lane;
  visibleAt: number;
  receives: number;
  readonly sentAt: number;
  receipt: string | null;
}

/** How one version of Rollcall reads and checks messages. */
export interface MessageCodec {
  readonly read: typeof readMessage;
  /** @throws Error if the version cannot write the message */
  readonly check: (message: WorkMessage) => WorkMessage;
}

export function memoryQueue(clock: StoreClock, quirks: Quirks) {
  let held: Held[] = [];
  const dead: DeadLetter[] = [];
  let receipts = 0;
  let letters = 0;
  const hooks = { onMessage: (): void => undefined };
  const put = (body: string, { lane = 'urgent', delayMs = 0 }: SendOptions = {}): void => {
    const sentAt = clock.now();
    held.push({ body, lane, visibleAt: sentAt + delayMs, receives: 0, receipt: null, sentAt });
    hooks.onMessage();
  };
  const holder = ({ receipt }: Delivery): Held | undefined => {
    const found = held.find((each) => each.receipt === receipt);
    return found !== undefined && found.visibleAt > clock.now() ? found : undefined;
  };
  const moveToDeadLetters = (each: Held, reason: DeadLetter['reason']): void => {
    held = held.filter((other) => other !== each);
    letters += 1;
    const { message } = readMessage(each.body);
    dead.push({ id: `letter-${letters}`, message, body: each.body, reason, at: clock.now() });
  };
  const queueOf = ({ read, check }: MessageCodec): WorkQueue => ({
    async send(messages, options) {
      for (const message of messages.map((each) => check(each))) {
        const body = JSON.stringify(message);
        put(body, options);
        if (quirks.doubles?.() === true) put(body, options);
      }
    },
    async receive(max, visibilityMs, only) {
      const now = clock.now();
      const visible = held.filter(({ visibleAt, lane }) => visibleAt <= now && (only === undefined || lane === only));
      const deliveries: Delivery[] = [];
      const inOrder = quirks.order?.(visible) ?? visible;
      // Urgent messages first; the sort is stable.
      for (const each of inOrder.toSorted((a, b) => Number(a.lane === 'bulk') - Number(b.lane === 'bulk'))) {
        if (deliveries.length >= max) break;
        const { message, error } = read(each.body);
        if (message === null) {
          moveToDeadLetters(each, error);
          continue;
        }
        receipts += 1;
        each.receipt = `receipt-${receipts}`;
        each.receives += 1;
        each.visibleAt = now + visibilityMs;
        const { receipt, receives, sentAt, lane } = each;
        deliveries.push({ message, receipt, receives, sentAt, lane });
      }
      return deliveries;
    },
    async extend(delivery, visibilityMs) {
      const found = holder(delivery);
      if (found !== undefined) found.visibleAt = clock.now() + visibilityMs;
    },
    async acknowledge(deliveries) {
      const done = new Set(deliveries.map(holder));
      held = held.filter((each) => !done.has(each));
    },
    async release(delivery, delayMs) {
      const found = holder(delivery);
      if (found === undefined) return;
      found.visibleAt = clock.now() + delayMs;
      found.receipt = null;
      hooks.onMessage();
    },
    async putBack(delivery, delayMs) {
      const found = holder(delivery);
      if (found === undefined) return;
      Object.assign(found, { visibleAt: clock.now() + delayMs, receipt: null, receives: 0 });
      hooks.onMessage();
    },
    async deadLetter(delivery, error) {
      const found = holder(delivery);
      if (found !== undefined) moveToDeadLetters(found, error);
    },
    pending: async () => held.length,
    async depth() {
      const now = clock.now();
      const visible = held.filter(({ visibleAt }) => visibleAt <= now).length;
      return { visible, inFlight: held.length - visible, dead: dead.length };
    },
  });
  const queue = queueOf({ read: readMessage, check: (message) => workMessageSchema.parse(message) });
  const deadLetters: DeadLetters = {
    list: async (limit) => dead.slice(0, limit),
    show: async (id) => dead.find((letter) => letter.id === id) ?? null,
    async redrive(ids) {
      const again = dead.filter(({ id, message }) => ids.includes(id) && message !== null);
      for (const letter of again) {
        dead.splice(dead.indexOf(letter), 1);
        put(letter.body, { lane: laneOf(ids.length) });
      }
      return again.map(({ id }) => id);
    },
  };
  const nextVisible = (): number | null =>
    held.length === 0 ? null : Math.min(...held.map(({ visibleAt }) => visibleAt));
  /** @returns a function that restores the queue's present content */
  const backup = (): (() => void) => {
    const kept = held.map((each) => ({ ...each }));
    const letters = [...dead];
    return () => {
      held = kept.map((each) => ({ ...each }));
      dead.splice(0, dead.length, ...letters);
      hooks.onMessage();
    };
  };
  return { queue, queueOf, deadLetters, nextVisible, hooks, putRaw: put, backup };
}
