import * as z from 'zod';
import type { IsOperator } from '../../shared/config/operators.ts';
import type { Door } from './door.ts';
import { ApiProblem } from './problem.ts';
import { HSTS } from './security/headers.ts';
import { requireSameOrigin } from './security/same-origin.ts';

/** What a function URL with AWS_IAM, and an HTTP API with IAM, say of the caller [urls-invocation, payload format 2.0]. */
const iamContext = z.object({
  authorizer: z.object({ iam: z.object({ userArn: z.string().startsWith('arn:') }) }),
});

/**
 * Behind a function URL or an HTTP API with IAM authorization: AWS has checked the signature, and who signed it is the actor. There is no
 * request without one: should the door be deployed without IAM, nobody is let in.
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
      throw new ApiProblem(401, 'NotSigned', 'Sign the request: this API takes AWS Signature Version 4 alone.', {
        headers: { 'www-authenticate': 'AWS4-HMAC-SHA256' },
      });
    },
    client: ({ requestContext }) => callerOf(requestContext) ?? 'nobody',
    headers: HSTS,
    // A browser cannot sign what it opens.
    pages: async () => null,
  };
}
