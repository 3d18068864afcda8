import * as z from 'zod';
import type { IsOperator } from '../../shared/config/operators.ts';
import type { Door } from './door.ts';
import { ApiProblem } from './problem.ts';
import { HSTS } from './security/headers.ts';
import { requireSameOrigin } from './security/same-origin.ts';

/** The caller's identity, as reported by a function URL with AWS_IAM or an HTTP API with IAM [urls-invocation, payload format 2.0]. */
const iamContext = z.object({
  authorizer: z.object({ iam: z.object({ userArn: z.string().startsWith('arn:') }) }),
});

/**
 * Behind a function URL or an HTTP API with IAM authorization: AWS has checked the signature, and the signer is the actor.
 * Requests without a signature are refused, so an API that was deployed without IAM lets nobody in.
 */
export function lambdaDoor(isOperator: IsOperator): Door {
  const callerOf = (context: unknown): string | null => {
    const parsed = iamContext.safeParse(context);
    return parsed.success ? parsed.data.authorizer.iam.userArn : null;
  };
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
    // No dashboard here: a browser cannot sign its requests for pages.
    pages: async () => null,
  };
}
