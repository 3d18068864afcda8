import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { CHILD_ENV, childFile } from './children.ts';
import { sdkSettings, type World } from './world.ts';
import type { ChildParts } from './world-child-parts.ts';
import { compiled, type PolicyParts } from './world-policy.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AppProcess {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  kill(): void;
}

const CHILD = childFile('world-child');

/** A run in a separate process on the world's data directory. It has the world's time until a test sets that forward. */
export function spawnRun(
  world: World,
  parts: { readonly policy?: PolicyParts; readonly waitMs?: number; readonly serves?: boolean } = {},
): AppProcess {
  const text = world.policyText(parts.policy);
  world.wire.policy = compiled(text, world.clock.now());
  const { dataDir, time } = world;
  const given: ChildParts = { dataDir, text, waitMs: parts.waitMs ?? 0, serves: parts.serves ?? false, time };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(given)], {
    env: { ...process.env, ...CHILD_ENV, ...sdkSettings(world.running.endpoint, world.managementId) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }));
  return { process: child, ended, kill: () => void child.kill('SIGKILL') };
}
