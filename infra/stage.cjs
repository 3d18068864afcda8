/*
 * The stage, if it can be one. Functions refuse to start under any other (ROLLCALL_STAGE, shared/config/aws-env.ts), and names of
 * resources are made from it: a wrong one has to fail before anything is deployed. test/infra holds the two against each other.
 */
const STAGE = /^[a-z][a-z0-9-]{0,19}$/;

module.exports.checked = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  if (typeof stage === 'string' && STAGE.test(stage)) return stage;
  const error = new Error(
    `the stage is ${JSON.stringify(stage)}; expected a lower-case letter, then up to 19 lower-case letters, digits and hyphens, such as prod: pass it with --stage`,
  );
  // The framework would print it below the sentence.
  error.stack = undefined;
  throw error;
};
