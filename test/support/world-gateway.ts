import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { World } from './world.ts';

/** A door in front of the sandbox that can be shut while it goes on behind it. */
export interface Gateway {
  readonly endpoint: string;
  /** Breaks every connection and takes none. */
  shut(): void;
  open(): Promise<void>;
}

export async function gatewayTo(world: World): Promise<Gateway> {
  const { hostname, port } = new URL(world.running.endpoint);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A connection that breaks is what this is for.
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    keep(near);
    keep(far);
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  const listen = async (at: number): Promise<number> => {
    server.listen(at, hostname);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the gateway is not listening on a TCP port');
    return address.port;
  };
  const shut = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const own = await listen(0);
  onTestFinished(shut);
  return {
    endpoint: `http://${hostname}:${own}`,
    shut,
    open: async () => {
      await listen(own);
    },
  };
}
