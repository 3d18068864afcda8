/*
 * Leave to read the policy where `policySource` says it is, for the roles of the functions that read it; a bundled file needs none.
 * Worked out here because a template can neither take a text apart nor leave out a statement.
 */
module.exports.policy = async ({ resolveVariable }) => {
  const source = await resolveVariable('param:policySource');
  const statement = statementFor(String(source));
  if (statement === null) return { Ref: 'AWS::NoValue' };
  return { PolicyName: 'read-policy', PolicyDocument: { Version: '2012-10-17', Statement: [statement] } };
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
