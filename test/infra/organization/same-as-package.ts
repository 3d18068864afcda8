import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { assembleOrganization } from '../../../infra/organization/assemble.ts';
import { isObject } from '../../../infra/organization/objects.ts';

const resources = z.record(z.string(), z.looseObject({ Type: z.string() }));
/** The parameters that correspond to `npm run package`. */
const VALUES: Readonly<Record<string, string>> = {
  ...{ Stage: 'prod', MemberRole: 'RollcallMember', NotifyBus: 'default', Monitoring: 'full', MaxAccounts: '10000' },
  ...{ ManagementAccountId: '', OrganizationId: '', AlarmTopicArn: '', ApiOperators: '', WebhookUrl: '' },
  ...{
    WebhookSecret: '',
    LogRetentionInDays: '90',
    Checkpoints: 'none',
    CheckpointDays: '400',
    CheckpointWitnesses: '',
    ...{ TracesEndpoint: '', TracesHeaders: '' },
  },
};
/** The framework's own bucket for packages, which the organization template has as a parameter. */
const OF_FRAMEWORK = /^ServerlessDeploymentBucket/;
/** What may differ: where the code is, and tags that `rollcall install` sets on the whole stack. */
const DIFFERENT = ['Code', 'Tags'];

/** Differences between the stack that the framework deploys and the one of the organization template. */
export function organizationFaults(deployed: unknown): readonly string[] {
  const theirs = resources.parse(deployed);
  const ours = resources.parse(z.object({ Resources: z.unknown() }).parse(assembleOrganization()).Resources);
  const own = Object.values(ours);
  return Object.entries(theirs).flatMap(([name, resource]) => {
    if (OF_FRAMEWORK.test(name)) return [];
    const wanted = comparable(resource);
    // The framework's name of an event source mapping contains the queue's.
    const found = ours[name] ?? own.find(({ Type }) => Type === resource.Type && Type.endsWith('EventSourceMapping'));
    if (found === undefined) return [`the organization template has no ${name}`];
    const given = comparable(found);
    if (isDeepStrictEqual(given, wanted)) return [];
    return [`${name} of the organization template is ${JSON.stringify(given)}, expected ${JSON.stringify(wanted)}`];
  });
}

function comparable({ Type, Properties }: z.infer<typeof resources>[string]): unknown {
  const shown = Object.entries(isObject(Properties) ? Properties : {}).filter(
    // The framework writes a setting without values as {}.
    ([name, value]) => !DIFFERENT.includes(name) && !isDeepStrictEqual(value, {}),
  );
  return { Type, Properties: evaluated(Object.fromEntries(shown)) };
}

/** The value with these parameters: references to them, and texts with them, are computed. */
function evaluated(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(evaluated);
  if (!isObject(value)) return value;
  const { Ref: name, 'Fn::Sub': text, 'Fn::If': branches } = value;
  if (typeof name === 'string' && Object.hasOwn(VALUES, name)) return VALUES[name];
  if (Array.isArray(branches) && /^Policy/.test(String(branches[0]))) return evaluated(branches[2]);
  if (typeof text === 'string') {
    const done = text.replaceAll(/\$\{(\w+)\}/g, (whole, parameter: string) => VALUES[parameter] ?? whole);
    return /\$\{/.test(done) ? { 'Fn::Sub': done } : done;
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, evaluated(inner)]));
}
