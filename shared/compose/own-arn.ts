export { ownArn } from '../adapters/aws/own-arn.ts';
