import { ownArn as askForArn } from '../adapters/aws/cloud/own-arn.ts';
import { ownNetwork } from './network.ts';

/** The ARN of this process's credentials; `null` if AWS does not answer within seconds. @throws ConfigError, FileError */
export const ownArn = (): Promise<string | null> => askForArn(ownNetwork());
