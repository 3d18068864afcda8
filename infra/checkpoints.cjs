/*
 * Checks the parameter `checkpoints`: the template would treat every unknown value as `governance`, the weaker protection.
 */
const CHOICES = ['none', 'governance', 'compliance'];

module.exports.checked = async ({ resolveVariable }) => {
  const checkpoints = await resolveVariable('param:checkpoints');
  if (CHOICES.includes(checkpoints)) return checkpoints;
  const error = new Error(`checkpoints is ${JSON.stringify(checkpoints)}; expected one of ${CHOICES.join(', ')}`);
  // Without this, the framework prints a stack trace below the message.
  error.stack = undefined;
  throw error;
};
