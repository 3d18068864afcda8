import { ApiProblem } from './problem.ts';
import type { ApiSystem } from './system.ts';

/** Maximum size of an answer that is not streamed, bytes: Lambda's limit of 6 MB [gettingstarted-limits], minus headers and encoding. */
const MOST_AT_ONCE = 5_000_000;

/**
 * Streams text as fast as the client reads it. If answers cannot be streamed, sends the whole text.
 * @param leave called when the stream ends, also after an error
 * @throws ApiProblem 413 if the whole text is too long for one answer
 */
export async function streamText(
  system: ApiSystem,
  text: AsyncGenerator<string>,
  headers: Readonly<Record<string, string>>,
  leave: () => void = () => undefined,
): Promise<Response> {
  if (!system.streams) return whole(text, headers).finally(leave);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await text.next();
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
      leave();
      await text.return(undefined);
    },
  });
  return new Response(body, { headers });
}

async function whole(text: AsyncGenerator<string>, headers: Readonly<Record<string, string>>): Promise<Response> {
  const parts: string[] = [];
  let length = 0;
  for await (const part of text) {
    parts.push(part);
    length += Buffer.byteLength(part);
    if (length > MOST_AT_ONCE) {
      const advice = 'Request a shorter range, or use `rollcall audit export --store aws`.';
      throw new ApiProblem(413, 'AnswerTooLarge', `The answer exceeds the limit of AWS Lambda. ${advice}`);
    }
  }
  return new Response(parts.join(''), { headers });
}
