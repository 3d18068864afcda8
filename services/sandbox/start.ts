import { once } from 'node:events';
import type { Random } from './engine/random.ts';
import { createSandbox, type Sandbox, type SandboxInfo } from './engine/sandbox.ts';
import type { Clock } from './engine/types.ts';
import type { MovableClock } from './http/control.ts';
import { createDoor } from './http/door.ts';
import { resolveOptions, type SandboxOptions } from './options.ts';

/** Options of `startSandbox`: those of the command line, and for tests the clock and the random source. */
export type StartOptions = SandboxOptions & {
  /** Default: the system clock. `POST /_sandbox/clock` advances the sandbox's time relative to this clock. */
  clock?: Clock | undefined;
  /** Creates a new random source at the start and at each reset. Default: derived from the seed. */
  random?: (() => Random) | undefined;
};

/** The JSON line that `rollcall sandbox` prints when it is ready. */
type ReadyInfo = { endpoint: string } & SandboxInfo;
export type RunningSandbox = {
  endpoint: string;
  info: ReadyInfo;
  sandbox: Sandbox;
  clock: MovableClock;
  close(): Promise<void>;
};

const DEFAULT_PORT = 4570;

/**
 * Starts a simulated AWS organization and serves it on a port (default 4570; 0 picks a free one) of `host` (default
 * 127.0.0.1) until closed. Throws ZodError for invalid options, and the errors of `listen`, e.g. EADDRINUSE.
 */
export async function startSandbox(options: StartOptions = {}): Promise<RunningSandbox> {
  const { clock: base = { now: Date.now }, random, ...data } = options;
  const engineOptions = resolveOptions(data);
  const clock = movableClock(base);
  const sandbox = createSandbox(engineOptions, { clock, random });
  const door = createDoor(sandbox, clock);
  const host = data.host ?? '127.0.0.1';
  door.server.listen(data.port ?? DEFAULT_PORT, host);
  await once(door.server, 'listening');
  const address = door.server.address();
  if (address === null || typeof address === 'string') throw new Error('The sandbox is not listening on a TCP port');
  const shownHost = host.includes(':') ? `[${host}]` : host;
  const endpoint = `http://${shownHost}:${address.port}`;
  return { endpoint, info: { endpoint, ...sandbox.info() }, sandbox, clock, close: door.close };
}

function movableClock(base: Clock): MovableClock {
  let ahead = 0;
  return {
    now: () => base.now() + ahead,
    advance: (ms) => {
      ahead += ms;
    },
    reset: () => {
      ahead = 0;
    },
  };
}
