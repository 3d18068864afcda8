import * as z from 'zod';
import { parse } from '../../services/cli/program.ts';
import { Output } from '../../services/cli/ui/output.ts';
import { storeProfile } from '../../shared/compose/stores/index.ts';
import { readConfig } from '../../shared/config/config.ts';
import type { Clock } from '../../shared/ports/system.ts';
import { NO_TRACER } from '../../shared/ports/tracer.ts';
import type { Json } from './stable.ts';

export interface Place {
  readonly dataDir: string;
  readonly clock: Clock;
}

export interface Answer {
  readonly exitCode: number;
  /** The document that the command printed. */
  readonly document: Json;
}

/** Any JSON. */
export const json: z.ZodType<Json> = z.json();
const nothing = (): void => undefined;

/** Runs `rollcall --json …` in this process, without a terminal. */
export async function command({ dataDir, clock }: Place, ...args: readonly string[]): Promise<Answer> {
  const { context, printed } = contextOf({ dataDir, clock });
  const exitCode = await parse(args, { write: nothing }).run(context);
  return { exitCode, document: json.parse(JSON.parse(printed())) };
}

/** What a command is given. */
export function contextOf({ dataDir, clock }: Place) {
  let printed = '';
  const stream = {
    write: (text: string): void => {
      printed += text;
    },
    on: nothing,
  };
  const flags = { json: true, store: 'embedded', dataDir, verbose: false, color: false };
  const config = readConfig(flags, {});
  const output = new Output(stream, { write: nothing, on: nothing }, config);
  const interrupt = { signal: new AbortController().signal, finishGracefully: nothing, exitCode: 130 };
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  return {
    context: {
      config,
      store: storeProfile(config, {}),
      env: {},
      output,
      input: () => process.stdin,
      interrupt,
      clock,
      logger,
      tracer: async () => NO_TRACER,
    },
    printed: () => printed,
  };
}
