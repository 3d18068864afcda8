import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { World } from './world.ts';

/** A proxy in front of the sandbox that can be closed while the sandbox continues. */
export interface Gateway {
  readonly endpoint: string;
  /** Closes every connection and accepts none. */
  shut(): void;
  open(): Promise<void>;
}

export async function gatewayTo(world: World): Promise<Gateway> {
  const { hostname, port } = new URL(world.running.endpoint);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // Broken connections are expected here.
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
