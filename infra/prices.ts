/*
 * Sources: https://aws.amazon.com/{lambda,dynamodb,sqs,eventbridge,cloudwatch,kms,s3}/pricing/, compared with other listings of 2024 to 2026, except for the
 * table's recovery (PITR), which only AWS's page lists. Other Regions differ by up to 50%; change the numbers for yours.
 */

/** List prices of us-east-1 in US dollars: first tier, without free tier. */
export const PRICES = {
  date: '2026-01',
  lambdaGbSecond: 0.0000133334, // arm64
  lambdaRequest: 0.2e-6,
  dynamodbWrite: 0.625e-6, // on demand, a write request unit
  dynamodbRead: 0.125e-6,
  dynamodbGbMonth: 0.25,
  dynamodbRecoveryGbMonth: 0.2,
  sqsRequest: 0.4e-6,
  eventPublished: 1e-6,
  schedulerInvocation: 1e-6,
  logGb: 0.5,
  metricMonth: 0.3,
  alarmMonth: 0.1, // for each metric of an alarm
  dashboardMonth: 3,
  kmsKeyMonth: 1,
  kmsRequest: 15e-6, // of an asymmetric key, except RSA_2048
  s3Write: 5e-6, // also a list
  s3Read: 0.4e-6,
} as const;
