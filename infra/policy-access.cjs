/*
 * Derives two things from `policySource`: the permission to read the policy, for the roles of the functions that do (a bundled file needs
 * none), and the file to bundle. A template cannot parse a string or omit a statement, so this is computed here.
 */
const { statSync } = require('node:fs');
const { resolve } = require('node:path');

module.exports.policy = async ({ resolveVariable }) => {
  const source = await resolveVariable('param:policySource');
  const statement = statementFor(String(source));
  if (statement === null) return { Ref: 'AWS::NoValue' };
  return { PolicyName: 'read-policy', PolicyDocument: { Version: '2012-10-17', Statement: [statement] } };
};

/** The policy file to bundle: the one that `policySource` names. If the policy is in S3 or SSM, a file that changes nothing, which is not read. */
module.exports.bundled = async ({ resolveVariable }) => {
  const source = String(await resolveVariable('param:policySource'));
  return source.startsWith('file:') ? source.slice('file:'.length) : 'infra/policy.yaml';
};

function statementFor(source) {
  if (source.startsWith('file:')) {
    const path = source.slice('file:'.length);
    if (isFile(path)) return null;
    throw plain(
      `policySource is ${JSON.stringify(source)}, but there is no such file: pass its path from the root of the repository`,
    );
  }
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
  throw plain(
    `policySource is ${JSON.stringify(source)}; expected file:PATH, s3://BUCKET/KEY or ssm:/PARAMETER: pass it with --param policySource=…`,
  );
}

/** Functions without their policy would fail to start. */
const isFile = (path) =>
  path !== '' && statSync(resolve(__dirname, '..', path), { throwIfNoEntry: false })?.isFile() === true;

/** An error without a stack, which the framework would print below the message. */
function plain(message) {
  const error = new Error(message);
  error.stack = undefined;
  return error;
}

const sub = (text) => ({ 'Fn::Sub': text });
