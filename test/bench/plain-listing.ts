import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import * as z from 'zod';

const page = z.object({ accountEnrollmentStatuses: z.array(z.unknown()), nextToken: z.string().nullish() });

/** Reads the sandbox's whole Compute Optimizer listing with plain node:http, page by page. @returns the duration, ms */
export async function plainListing(): Promise<number> {
  const endpoint = process.env['AWS_ENDPOINT_URL'] ?? '';
  const accountId = process.env['AWS_ACCESS_KEY_ID'] ?? '';
  const agent = new Agent({ keepAlive: true });
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'ComputeOptimizerService.GetEnrollmentStatusesForOrganization',
    'x-amz-date': '20260101T000000Z',
    authorization:
      `AWS4-HMAC-SHA256 Credential=${accountId}/20260101/eu-central-1/compute-optimizer/aws4_request, ` +
      'SignedHeaders=host;x-amz-date, Signature=0',
  };
  const start = performance.now();
  let token: string | null = null;
  do {
    const asked = request(endpoint, { method: 'POST', agent, headers });
    asked.end(JSON.stringify({ maxResults: 100, ...(token !== null && { nextToken: token }) }));
    const [response] = await once(asked, 'response');
    token = page.parse(JSON.parse(await text(response))).nextToken ?? null;
  } while (token !== null);
  agent.destroy();
  return performance.now() - start;
}
