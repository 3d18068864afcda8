import { Command } from '@smithy/core/client';
import { getEndpointPlugin } from '@smithy/core/endpoints';
import type { MetadataBearer, ServiceClientResolvedConfig } from './client.ts';

type OperationSchema = Parameters<ReturnType<typeof Command.classBuilder>['sc']>[0];

/** The settings of the client that determine the endpoint. */
const ENDPOINT_PARAMETERS = {
  UseFIPS: { type: 'builtInParams', name: 'useFipsEndpoint' },
  Endpoint: { type: 'builtInParams', name: 'endpoint' },
  Region: { type: 'builtInParams', name: 'region' },
  UseDualStack: { type: 'builtInParams', name: 'useDualstackEndpoint' },
} as const;

/** Creates the command classes of one service. */
export function commandsOf(serviceTarget: string, clientName: string) {
  return <Input extends object, Output extends object>(operation: string, schema: OperationSchema) =>
    Command.classBuilder<Input, Output & MetadataBearer, ServiceClientResolvedConfig, object, MetadataBearer>()
      .ep(ENDPOINT_PARAMETERS)
      .m((command, _stack, config) => [getEndpointPlugin(config, command.getEndpointParameterInstructions())])
      .s(serviceTarget, operation, {})
      .n(clientName, `${operation}Command`)
      .sc(schema)
      .build();
}
