import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { zipEntries } from '../support/zip.ts';
import type { ServiceModel } from './model.ts';
import { BotocoreWheel } from './read-botocore.ts';
import { readClient } from './read-client.ts';
import { installedClient, type UsedService } from './used.ts';

/** Reads the model that AWS has published of a service, or explains why there is none. */
export type Publisher = (service: UsedService) => Promise<Published>;
export type Published = ServiceModel | { readonly reason: string };

export const installedClients: Publisher = async ({ client }) => {
  const directory = installedClient(client);
  return directory === null ? { reason: `${client} is not installed` } : readClient(directory);
};

const run = promisify(execFile);
const failureSchema = z.object({ stderr: z.string() });

/** The newest clients on npm, unpacked into `directory`. Packages are only read: their scripts and code do not run. */
export function npmClients(directory: string): Publisher {
  return async ({ client }) => {
    const into = join(directory, client);
    mkdirSync(into, { recursive: true });
    try {
      const packed = await run('npm', [
        'pack',
        `${client}@latest`,
        '--pack-destination',
        into,
        '--loglevel=error',
        '--ignore-scripts',
      ]);
      await run('tar', ['-xzf', join(into, packed.stdout.trim()), '-C', into]);
    } catch (error) {
      return { reason: `npm did not provide ${client} (${codeOf(error)}); --botocore FILE.whl can replace it` };
    }
    return readClient(join(into, 'package'));
  };
}

/** npm's error code, such as E404 for a package that does not exist. */
function codeOf(error: unknown): string {
  const failure = failureSchema.safeParse(error);
  const code = failure.success ? /npm error code (\S+)/.exec(failure.data.stderr)?.[1] : undefined;
  return code ?? String(error);
}

/**
 * A botocore wheel and, for services that it lacks, `otherwise`. The wheel goes first because it also states lengths, ranges and patterns, and
 * because a client on npm can be months older.
 */
export function botocoreWheel(path: string, otherwise: Publisher): Publisher {
  const wheel = new BotocoreWheel(zipEntries(readFileSync(path)));
  return async (service) => {
    const found = wheel.read(service.folders, service.sdkId);
    if (found !== null) return found;
    const other = await otherwise(service);
    return 'reason' in other ? { reason: `${wheel.name} does not contain it; ${other.reason}` } : other;
  };
}
