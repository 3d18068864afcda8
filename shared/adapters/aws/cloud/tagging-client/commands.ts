import { commandsOf } from '../service-client/commands.ts';
import { SERVICE_TARGET } from './client.ts';
import type * as models from './models.ts';
import * as schemas from './schemas.ts';

const commandClass = commandsOf(SERVICE_TARGET, 'ResourceGroupsTaggingAPIClient');

/** Lists the resources of the caller's account and Region that have tags, or had some. The list is eventually consistent. */
export class GetResourcesCommand extends commandClass<models.GetResourcesInput, models.GetResourcesOutput>(
  'GetResources',
  schemas.GetResources$,
) {}
