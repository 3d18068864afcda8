import { setImmediate as nextTurn } from 'node:timers/promises';
import { ApiProblem } from './problem.ts';
import type { ApiSystem } from './system.ts';

/** Maximum size of an answer that is not streamed, bytes: Lambda's limit of 6 MB [gettingstarted-limits], minus headers and encoding. */
export const MOST_AT_ONCE = 5_000_000;

export interface StreamOptions {
  /** Called when the stream ends, also after an error. */
  readonly leave?: () => void;
  /** What to do if the text is too long for one answer. */
  readonly advice?: string;
}

/**
 * Streams text as fast as the client reads it. If answers cannot be streamed, sends the whole text.
 * @throws ApiProblem 413 if the whole text is too long for one answer
 */
export async function streamText(
  system: ApiSystem,
  text: AsyncGenerator<string>,
  headers: Readonly<Record<string, string>>,
  { leave = () => undefined, advice = 'Request less.' }: StreamOptions = {},
): Promise<Response> {
  if (!system.streams) return whole(text, headers, advice).finally(leave);
  const encoder = new TextEncoder();
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        // Other work of the process runs between two parts.
        await nextTurn();
        const { done, value } = await text.next();
        if (cancelled) return;
        if (done !== true) return controller.enqueue(encoder.encode(value));
        leave();
        controller.close();
      } catch (error) {
        leave();
        system.logger.error('an answer was interrupted', { error });
        controller.error(error);
      }
    },
    async cancel() {
      cancelled = true;
      leave();
      await text.return(undefined);
    },
  });
  return new Response(body, { headers });
}

async function whole(
  text: AsyncGenerator<string>,
  headers: Readonly<Record<string, string>>,
  advice: string,
): Promise<Response> {
  const parts: string[] = [];
  let length = 0;
  for await (const part of text) {
    parts.push(part);
    length += Buffer.byteLength(part);
    if (length > MOST_AT_ONCE) {
      throw tooLarge(advice);
    }
  }
  return new Response(parts.join(''), { headers });
}

export function tooLarge(advice: string): ApiProblem {
  return new ApiProblem(413, 'AnswerTooLarge', `The answer exceeds the limit of AWS Lambda. ${advice}`);
}
