import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import * as z from 'zod';
import type { Network } from '../../../domain/network.ts';
import { clientSettings } from '../client-settings.ts';
import { withCompleteAnswers } from '../complete-answers.ts';

const CONNECT_MS = 1_000;
const ANSWER_MS = 2_000;
/** Limits the search for credentials as well, ms: a halt must not wait for a sign-in server. */
const TOTAL_MS = 3_000;

const identity = z.object({ Arn: z.string().regex(/^arn:[a-z0-9-]+:/) });

/** The ARN of the caller's credentials; `null` if AWS does not answer within seconds. Needs no permission [API_GetCallerIdentity]. */
export async function ownArn(network: Network): Promise<string | null> {
  const client = withCompleteAnswers('sts', new STSClient(clientSettings(CONNECT_MS, ANSWER_MS, network)));
  try {
    const asked = client.send(new GetCallerIdentityCommand({}));
    const answer = identity.safeParse(await Promise.race([asked, rejectedAfter(TOTAL_MS)]));
    return answer.success ? answer.data.Arn : null;
  } catch {
    // The caller then records the operating system's user instead.
    return null;
  } finally {
    client.destroy();
  }
}

function rejectedAfter(ms: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    AbortSignal.timeout(ms).addEventListener('abort', () => reject(new Error('timeout')));
  });
}
