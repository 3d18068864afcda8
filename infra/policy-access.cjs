/*
 * What follows from where `policySource` says that the policy is: leave to read it, for the roles of the functions that do (a bundled
 * file needs none), and which file is bundled.
 * Worked out here because a template can neither take a text apart nor leave out a statement.
 */
const { statSync } = require('node:fs');
const { resolve } = require('node:path');

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
  if (source.startsWith('file:')) {
    const path = source.slice('file:'.length);
    if (isFile(path)) return null;
    throw plain(
      `policySource is ${JSON.stringify(source)}, and there is no such file here: pass its path from the root of the repository`,
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

/** Functions of which the policy is missing would refuse to start. */
const isFile = (path) =>
  path !== '' && statSync(resolve(__dirname, '..', path), { throwIfNoEntry: false })?.isFile() === true;

/** Without a stack: the framework would print it below the sentence. */
function plain(message) {
  const error = new Error(message);
  error.stack = undefined;
  return error;
}

const sub = (text) => ({ 'Fn::Sub': text });
