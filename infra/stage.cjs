/*
 * Checks the stage. Functions refuse to start under an invalid stage (ROLLCALL_STAGE, shared/config/aws-env.ts), and the names of resources contain
 * it, so an invalid one must fail before anything is deployed. test/infra compares the two checks.
 */
const STAGE = /^[a-z][a-z0-9-]{0,19}$/;

module.exports.checked = async ({ resolveVariable }) => {
  const stage = await resolveVariable('sls:stage');
  if (typeof stage === 'string' && STAGE.test(stage)) return stage;
  const error = new Error(
    `the stage is ${JSON.stringify(stage)}; expected a lower-case letter, then up to 19 lower-case letters, digits and hyphens, such as prod: pass it with --stage`,
  );
  // Without this, the framework prints a stack trace below the message.
  error.stack = undefined;
  throw error;
};
