import * as z from 'zod';
import type { EnrollmentId } from '../../domain/enrollment/kinds/index.ts';
import type { EpochMs } from '../../domain/enrollment/model.ts';
import {
  type Cloud,
  CloudError,
  type CloudErrorDetails,
  type ListedEnrollment,
  type Observed,
  type Page,
} from '../../ports/cloud.ts';
import { OutOfTime } from '../support/out-of-time.ts';
import type { ScanProgress } from './checkpoint.ts';

const observed = z.object({
  kind: z.literal('observed'),
  status: z.enum(['Active', 'Inactive', 'Pending', 'Failed']),
  ruleMode: z.enum(['AnyAllowed', 'NoneAllowed']).nullable(),
  statusReason: z.string().nullable(),
  lastUpdated: z.number().nullable(),
});
/** Absent in checkpoints of version 0.1.0 and for kinds without rule mode. */
const ruleModeSource = z
  .object({ type: z.enum(['applied', 'inherited', 'direct', 'default']), targetId: z.string().nullable() })
  .nullable();
const page = z.object({
  items: z.array(z.object({ accountId: z.string(), observed, ruleModeSource: ruleModeSource.exactOptional() })),
  nextToken: z.string().nullable(),
  leftOut: z.array(z.string()).default([]),
});
const refusal = z.object({
  message: z.string(),
  kind: z.enum(['Denied', 'Prerequisite', 'Invalid']),
  code: z.string(),
  service: z.string(),
  operation: z.string(),
});

const configurations = z.array(
  z.object({
    target: z.object({ type: z.enum(['account', 'organizationalUnit']), id: z.string() }),
    ruleMode: z.enum(['AnyAllowed', 'NoneAllowed']).nullable(),
  }),
);
const yesOrNo = z.boolean();
const time = z.number();

export interface ReplayingCloud extends Cloud {
  /** Resolves when no call is in progress. Only then is the checkpoint complete. */
  idle(): Promise<void>;
}

/**
 * Wraps the cloud for a scan that may continue in another process. A response in the checkpoint is replayed; any other is requested
 * and added to it. When `mayGoOn` returns false, requests throw {@link OutOfTime}.
 */
export function replayingCloud(
  cloud: Cloud,
  checkpoint: ScanProgress,
  mayGoOn: () => boolean,
  now: () => EpochMs,
): ReplayingCloud {
  const responses = new Responses(checkpoint, mayGoOn);
  const once = <T>(key: string, call: () => Promise<T>): Promise<unknown> => responses.once(key, call);
  const listings = memoized((kind: EnrollmentId) => replayedPages(cloud, kind, once));
  const readings = counter();
  const unitReadings = counter();
  const configurationReadings = counter();
  return {
    ...cloud,
    idle: () => responses.idle(),
    trustedAccess: async () => yesOrNo.parse(await once('trustedAccess', () => cloud.trustedAccess())),
    list: (kind, token) => listings(kind)(token),
    readUnits(options) {
      const name = `units/${unitReadings.next()}`;
      return cloud.readUnits({ ...options, once: (key, call) => once(`${name}/${key}`, call) });
    },
    configurations: {
      ...cloud.configurations,
      list: async (options) =>
        configurations.parse(
          await once(`configurations/${configurationReadings.next()}`, () => cloud.configurations.list(options)),
        ),
    },
    read: (kind, id) => responses.ofAccount(`${kind}#${id}`, () => cloud.read(kind, id)),
    async readOrganization(options) {
      const name = `organization/${readings.next()}`;
      // Stored before the first request, because a snapshot is as old as its first response.
      const takenAt = time.parse(await once(`${name}/takenAt`, async () => now()));
      const snapshot = await cloud.readOrganization({ ...options, once: (key, call) => once(`${name}/${key}`, call) });
      return { ...snapshot, takenAt };
    },
  };
}

/** The responses of AWS, of this process and of those before it. */
class Responses {
  readonly #checkpoint: ScanProgress;
  readonly #mayGoOn: () => boolean;
  readonly #inProgress = new Set<Promise<unknown>>();

  constructor(checkpoint: ScanProgress, mayGoOn: () => boolean) {
    this.#checkpoint = checkpoint;
    this.#mayGoOn = mayGoOn;
  }

  async idle(): Promise<void> {
    while (this.#inProgress.size > 0) await Promise.allSettled(this.#inProgress);
  }

  async once<T>(key: string, call: () => Promise<T>): Promise<unknown> {
    if (this.#checkpoint.has(key)) return this.#checkpoint.get(key);
    const answer = await this.#request(call);
    this.#checkpoint.put(key, answer);
    return answer;
  }

  /** Errors are stored as well, because thousands of accounts may be denied. */
  async ofAccount(key: string, read: () => Promise<Observed>): Promise<Observed> {
    const checkpoint = this.#checkpoint;
    if (checkpoint.has(`refused/${key}`)) throw refused(checkpoint.get(`refused/${key}`));
    if (checkpoint.has(key)) return observed.parse(checkpoint.get(key));
    try {
      const answer = await this.#request(read);
      checkpoint.put(key, answer);
      return answer;
    } catch (error) {
      if (error instanceof CloudError) {
        const { kind, code, service, operation } = error.details;
        const parsed = refusal.safeParse({ message: error.message, kind, code, service, operation });
        if (parsed.success) checkpoint.put(`refused/${key}`, parsed.data);
      }
      throw error;
    }
  }

  async #request<T>(call: () => Promise<T>): Promise<T> {
    if (!this.#mayGoOn()) throw new OutOfTime('the time limit is reached');
    const response = call();
    this.#inProgress.add(response);
    try {
      return await response;
    } finally {
      this.#inProgress.delete(response);
    }
  }
}

/** The pages of the listings of one kind. */
function replayedPages(cloud: Cloud, kind: EnrollmentId, once: Responses['once']) {
  const round = counter();
  /** The number of answers to each token. It can exceed one, because an empty page may return the token that requested it. */
  let answered = new Map<string, number>();
  return async (token: string | null): Promise<Page<ListedEnrollment>> => {
    if (token === null) answered = new Map();
    const times = answered.get(token ?? '') ?? 0;
    // A listing that starts over, because a page token failed, must not get the answers of its previous pass.
    const key = `${kind}/${token === null ? round.next() : round.now()}/${token ?? ''}/${times}`;
    try {
      const answer = page.parse(await once(key, () => cloud.list(kind, token)));
      answered.set(token ?? '', times + 1);
      return answer;
    } catch (error) {
      // A retry of the first page does not start the listing over.
      if (token === null) round.back();
      throw error;
    }
  };
}

function refused(value: unknown): CloudError {
  const { message, ...rest } = refusal.parse(value);
  const details: CloudErrorDetails = { ...rest, accountId: null, requestId: null, ambiguous: false };
  return new CloudError(message, details);
}

function memoized<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

function counter() {
  let count = 0;
  return {
    next: () => {
      count += 1;
      return count;
    },
    now: () => count,
    back: () => {
      count -= 1;
    },
  };
}
