import type { ComputeOptimizerClientConfig } from '@aws-sdk/client-compute-optimizer';
import { EndpointCache, type RuleSetObject, resolveEndpoint } from '@smithy/core/endpoints';

type EndpointProvider = NonNullable<ComputeOptimizerClientConfig['endpointProvider']>;

const partition = { ref: 'partition' };
const isTrue = (ref: string) => ({ fn: 'booleanEquals', argv: [{ ref }, true] });
const supports = (what: string) => ({
  fn: 'booleanEquals',
  argv: [{ fn: 'getAttr', argv: [partition, what] }, true],
});
const FIPS = supports('supportsFIPS');
const DUAL_STACK = supports('supportsDualStack');

/** AWS's standard regional endpoints, with the partition's DNS suffixes. */
const rulesOf = (prefix: string): RuleSetObject => ({
  version: '1.0',
  parameters: {
    Region: { type: 'String', builtIn: 'AWS::Region', required: false, documentation: 'The AWS Region' },
    UseDualStack: { type: 'Boolean', default: false, required: true, documentation: 'IPv6 and IPv4' },
    UseFIPS: { type: 'Boolean', default: false, required: true, documentation: 'FIPS 140 endpoint' },
    Endpoint: { type: 'String', builtIn: 'SDK::Endpoint', required: false, documentation: 'Custom endpoint' },
  },
  rules: [
    branch(
      [{ fn: 'isSet', argv: [{ ref: 'Endpoint' }] }],
      [
        refusal([isTrue('UseFIPS')], 'Invalid Configuration: FIPS and custom endpoint are not supported'),
        refusal([isTrue('UseDualStack')], 'Invalid Configuration: Dualstack and custom endpoint are not supported'),
        { conditions: [], type: 'endpoint', endpoint: { url: { ref: 'Endpoint' } } },
      ],
    ),
    branch(
      [{ fn: 'isSet', argv: [{ ref: 'Region' }] }],
      [
        branch(
          [{ fn: 'aws.partition', argv: [{ ref: 'Region' }], assign: 'partition' }],
          [
            branch(
              [isTrue('UseFIPS'), isTrue('UseDualStack')],
              [
                at([FIPS, DUAL_STACK], `https://${prefix}-fips.{Region}.{partition#dualStackDnsSuffix}`),
                refusal([], 'FIPS and DualStack are enabled, but this partition does not support one or both'),
              ],
            ),
            branch(
              [isTrue('UseFIPS')],
              [
                at([FIPS], `https://${prefix}-fips.{Region}.{partition#dnsSuffix}`),
                refusal([], 'FIPS is enabled but this partition does not support FIPS'),
              ],
            ),
            branch(
              [isTrue('UseDualStack')],
              [
                at([DUAL_STACK], `https://${prefix}.{Region}.{partition#dualStackDnsSuffix}`),
                refusal([], 'DualStack is enabled but this partition does not support DualStack'),
              ],
            ),
            at([], `https://${prefix}.{Region}.{partition#dnsSuffix}`),
          ],
        ),
      ],
    ),
    refusal([], 'Invalid Configuration: Missing Region'),
  ],
});

type Rule = RuleSetObject['rules'][number];
type Conditions = NonNullable<Rule['conditions']>;

function branch(conditions: Conditions, rules: Rule[]): Rule {
  return { conditions, rules, type: 'tree' };
}
function at(conditions: Conditions, url: string): Rule {
  return { conditions, type: 'endpoint', endpoint: { url } };
}
function refusal(conditions: Conditions, error: string): Rule {
  return { conditions, error, type: 'error' };
}

/** The rules call `aws.partition`, which is registered when `@aws-sdk/client-compute-optimizer`, the base of every client, is loaded. */
export function regionalEndpointProvider(prefix: string): EndpointProvider {
  const rules = rulesOf(prefix);
  const cache = new EndpointCache({ size: 50, params: ['Endpoint', 'Region', 'UseDualStack', 'UseFIPS'] });
  return ({ Region, Endpoint, UseDualStack = false, UseFIPS = false }, context = {}) => {
    const endpointParams = {
      UseDualStack,
      UseFIPS,
      ...(Region !== undefined && { Region }),
      ...(Endpoint !== undefined && { Endpoint }),
    };
    return cache.get(endpointParams, () =>
      resolveEndpoint(rules, { endpointParams, ...(context.logger && { logger: context.logger }) }),
    );
  };
}
