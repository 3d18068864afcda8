/*
 * Checks the parameter `monitoring`. Functions refuse to start with another value (ROLLCALL_MONITORING, shared/config/aws-env.ts), so it must fail
 * before anything is deployed. test/infra compares the two checks.
 */
const CHOICES = ['full', 'alarms', 'none'];

module.exports.checked = async ({ resolveVariable }) => {
  const monitoring = await resolveVariable('param:monitoring');
  if (CHOICES.includes(monitoring)) return monitoring;
  const error = new Error(`monitoring is ${JSON.stringify(monitoring)}; expected one of ${CHOICES.join(', ')}`);
  // Without this, the framework prints a stack trace below the message.
  error.stack = undefined;
  throw error;
};
