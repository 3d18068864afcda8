export const ROLE_ARN = /^arn:(aws|aws-cn|aws-us-gov):iam::(\d{12}):role\/(?:[\x21-\x7e]+\/)?([\w+=,.@-]{1,64})$/;

/** The account id in the ARN of a role; `undefined` for anything else. */
export function roleAccount(arn: unknown): string | undefined {
  return typeof arn === 'string' ? ROLE_ARN.exec(arn)?.[2] : undefined;
}
