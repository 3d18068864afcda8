/** The commands that point a shell at a simulated organization, instead of AWS. With a profile, the SDK would ignore the keys. */
export function sandboxExports(endpoint: string): readonly string[] {
  return [
    `export AWS_ENDPOINT_URL=${endpoint} AWS_REGION=us-east-1`,
    'export AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox',
    'unset AWS_PROFILE',
  ];
}
