import * as z from 'zod';
import type { IsOperator } from '../../shared/config/operators.ts';
import type { Door } from './door.ts';
import { ApiProblem } from './problem.ts';
import { HSTS } from './security/headers.ts';
import { requireSameOrigin } from './security/same-origin.ts';

/** The part of the request context that names the caller, with IAM authorization [urls-invocation, payload format 2.0]. */
const iamContext = z.object({
  authorizer: z.object({ iam: z.object({ userArn: z.string().startsWith('arn:') }) }),
});

/** The entry point behind a function URL or an HTTP API with IAM authorization. The actor is the signer, whose signature AWS has checked. */
export function lambdaDoor(isOperator: IsOperator): Door {
  const callerOf = (context: unknown): string | null =>
    iamContext.safeParse(context).data?.authorizer.iam.userArn ?? null;
  return {
    admit: (headers, navigation) => requireSameOrigin(headers, navigation),
    identify: (_headers, { requestContext }) => {
      const actor = callerOf(requestContext);
      if (actor !== null) return { actor, role: isOperator(actor) ? 'operate' : 'read' };
      throw new ApiProblem(401, 'NotSigned', 'Sign the request: this API accepts only AWS Signature Version 4.', {
        headers: { 'www-authenticate': 'AWS4-HMAC-SHA256' },
      });
    },
    client: ({ requestContext }) => callerOf(requestContext) ?? 'nobody',
    headers: HSTS,
    // The dashboard is not served, because a browser cannot sign its requests.
    pages: async () => null,
  };
}
