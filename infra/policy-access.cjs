/*
 * What follows from where `policySource` says that the policy is: leave to read it, for the roles of the functions that do (a bundled
 * file needs none), and which file is bundled.
 * Worked out here because a template can neither take a text apart nor leave out a statement.
 */
module.exports.policy = async ({ resolveVariable }) => {
  const source = await resolveVariable('param:policySource');
  const statement = statementFor(String(source));
  if (statement === null) return { Ref: 'AWS::NoValue' };
  return { PolicyName: 'read-policy', PolicyDocument: { Version: '2012-10-17', Statement: [statement] } };
};

/** The file that goes into the packages: the one that `policySource` names, else the one that changes nothing. */
module.exports.bundled = async ({ resolveVariable }) => {
  const source = String(await resolveVariable('param:policySource'));
  return source.startsWith('file:') ? source.slice('file:'.length) : 'infra/policy.yaml';
};

function statementFor(source) {
  if (source.startsWith('file:')) return null;
  const s3 = /^s3:\/\/([a-z0-9.-]+)\/(.+)$/.exec(source);
  if (s3 !== null) {
    const [, bucket, key] = s3;
    return { Effect: 'Allow', Action: 's3:GetObject', Resource: sub(`arn:\${AWS::Partition}:s3:::${bucket}/${key}`) };
  }
  const ssm = /^ssm:\/?([A-Za-z0-9_./-]+)$/.exec(source);
  if (ssm !== null) {
    const arn = `arn:\${AWS::Partition}:ssm:\${AWS::Region}:\${AWS::AccountId}:parameter/${ssm[1]}`;
    return { Effect: 'Allow', Action: 'ssm:GetParameter', Resource: sub(arn) };
  }
  throw new Error(`policySource is ${JSON.stringify(source)}; expected file:PATH, s3://BUCKET/KEY or ssm:/PARAMETER`);
}

const sub = (text) => ({ 'Fn::Sub': text });
