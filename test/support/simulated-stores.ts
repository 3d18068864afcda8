import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import dynalite from 'dynalite';
import { createTableInput } from '../../shared/adapters/aws/dynamodb/schema.ts';
import { makeQueues } from '../adapters/aws/queues.ts';
import { buildFairQueues } from './fair-queues.ts';

/** A call to the simulated DynamoDB. */
interface TableCall {
  readonly operation: string;
  /** The request as JSON. */
  readonly body: string;
}

export interface SimulatedStores {
  readonly tableEndpoint: string;
  readonly queueEndpoint: string;
  readonly queueUrl: string;
  readonly dlqUrl: string;
  readonly queues: SQSClient;
  /** Returns an error code to reject a call, or `null`. */
  refuse: (operation: string) => string | null;
  /** Called after each executed call, before its answer is sent. */
  onStored: (call: TableCall) => void;
  readonly refused: ReadonlyMap<string, number>;
  /** The bodies of all messages in a queue, hidden ones too. */
  bodies(queue: 'work' | 'dead'): readonly string[];
  close(): Promise<void>;
}

const ACCESS = { region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
export const TABLE = 'rollcall';
const QUEUE_NAMES = { work: 'rollcall', dead: 'rollcall-dead' } as const;
const NO_MESSAGES = { ready: [], delayed: [], inflight: [] };

/** A table and two queues as in `infra/`, on free ports, in real time. */
export async function startSimulatedStores(): Promise<SimulatedStores> {
  const dynamo = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  // On a busy machine, a process may pause for longer than an idle connection lives. Tests do not cover that.
  dynamo.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => dynamo.listen(0, '127.0.0.1', resolve));
  const { app: fauxqs, sqsStore } = buildFairQueues();
  const queueEndpoint = await fauxqs.listen({ port: 0, host: '127.0.0.1' });
  const address = dynamo.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  const tableEndpoint = `http://127.0.0.1:${address.port}`;
  const table = new DynamoDBClient({ ...ACCESS, endpoint: tableEndpoint });
  await table.send(new CreateTableCommand(createTableInput(TABLE)));
  table.destroy();
  const queues = new SQSClient({ ...ACCESS, endpoint: queueEndpoint });
  const urls = await makeQueues(queues, QUEUE_NAMES.work);
  const refused = new Map<string, number>();
  const stores: SimulatedStores = {
    ...{ tableEndpoint, queueEndpoint, queues, refused, ...urls },
    refuse: () => null,
    onStored: () => undefined,
    bodies(queue) {
      const { ready, delayed, inflight } = sqsStore.inspectQueue(QUEUE_NAMES[queue])?.messages ?? NO_MESSAGES;
      return [...ready, ...delayed, ...inflight.map(({ message }) => message)].map(({ body }) => body);
    },
    async close() {
      queues.destroy();
      await fauxqs.close();
      dynamo.closeAllConnections();
      await new Promise((resolve) => dynamo.close(resolve));
    },
  };
  standBefore(dynamo, (request, response, goOn) => {
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const code = stores.refuse(operation);
    if (code !== null) {
      refused.set(code, (refused.get(code) ?? 0) + 1);
      request.resume();
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(
        JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message: 'as the test wants' }),
      );
      return;
    }
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => void parts.push(part));
    const end = response.end.bind(response);
    // The service commits before it answers.
    response.end = (...args: unknown[]) => {
      if (response.statusCode === 200) stores.onStored({ operation, body: Buffer.concat(parts).toString() });
      return Reflect.apply(end, response, args);
    };
    goOn();
  });
  return stores;
}

type Guardian = (request: IncomingMessage, response: ServerResponse, goOn: () => void) => void;

function standBefore(server: Server, guardian: Guardian): void {
  const original = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    guardian(request, response, () => {
      for (const listener of original) Reflect.apply(listener, server, [request, response]);
    });
  });
}
