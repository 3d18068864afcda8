import { ownArn as askForArn } from '../adapters/aws/cloud/own-arn.ts';
import { ownNetwork } from './network.ts';

/** See `ownArn` of the adapter. @throws ConfigError, FileError if the network settings cannot be used */
export const ownArn = (): Promise<string | null> => askForArn(ownNetwork());
