import { cloudContract } from '../../../contract/cloud.contract.ts';
import { awsWorld } from './support.ts';

cloudContract('AWS SDK against the sandbox', awsWorld);
