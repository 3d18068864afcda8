import { ApiProblem } from './problem.ts';
import type { ApiSystem } from './system.ts';

/** Lambda answers with 6 MB at most [gettingstarted-limits]; headers and encoding take some of it. */
const MOST_AT_ONCE = 5_000_000;

/**
 * Answers with text as it comes, pulled as fast as it is read, so that memory does not grow with a reader that is slow; where answers
 * cannot last, with all of it.
 * @param leave is called once, whatever ends it
 * @throws ApiProblem 413 where all of it is too much for one answer
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
        system.logger.error('an answer broke off', { error });
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
      const advice = 'Ask for a shorter time, or use `rollcall audit export --store aws`.';
      throw new ApiProblem(413, 'AnswerTooLarge', `This is more than one answer of AWS Lambda can carry. ${advice}`);
    }
  }
  return new Response(parts.join(''), { headers });
}
