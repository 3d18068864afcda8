import * as z from 'zod';
import { sandboxOptionsSchema } from './options.ts';
import { startSandbox } from './start.ts';

/**
 * Runs a sandbox in its own process: `node main.ts '{"scenario":"demo","port":0}'`. Prints one JSON line when ready,
 * then serves until SIGINT or SIGTERM, or until its parent closes the IPC channel.
 */
async function main(argument: string | undefined): Promise<void> {
  const options = z
    .string()
    .transform(parseJson)
    .pipe(sandboxOptionsSchema)
    .parse(argument ?? '{}');
  const { info, close } = await startSandbox(options);
  try {
    await printed(`${JSON.stringify(info)}\n`);
  } catch (error) {
    await close();
    throw error;
  }
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await close();
    if (process.connected) process.disconnect();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.once('disconnect', stop);
}

/** Prints the ready line. Without it nobody knows the endpoint, so a failed write ends the sandbox. */
function printed(line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => reject(new Error(`stdout cannot be written: ${cause.message}`, { cause }));
    process.stdout.once('error', fail);
    process.stdout.write(line, (error) => (error ? fail(error) : resolve()));
  });
}

function parseJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'The argument is not valid JSON' });
    return z.NEVER;
  }
}

main(process.argv[2]).catch((error: unknown) => {
  const message =
    error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : String(error);
  process.stderr.write(`sandbox: ${message}\n`);
  process.exitCode = 1;
});
