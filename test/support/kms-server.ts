import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import * as z from 'zod';

/** A key of the stand-in for KMS. */
export interface KmsKey {
  readonly arn: string;
  readonly spec: string;
  readonly usage: string;
  readonly secret: KeyObject;
}

interface KmsCall {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The Region that the request was signed for. */
  readonly region: string | undefined;
}

interface KmsReply {
  readonly status: number;
  readonly body: unknown;
}

export interface KmsServer {
  readonly endpoint: string;
  readonly calls: KmsCall[];
  /** By id, ARN or alias. */
  readonly keys: Map<string, KmsKey>;
  /** An answer in place of the real one; `'hang'`: none at all. */
  answer: (call: KmsCall) => KmsReply | 'hang' | undefined;
  close(): void;
}

const signInput = z.object({
  KeyId: z.string(),
  Message: z.base64(),
  MessageType: z.literal('RAW'),
  SigningAlgorithm: z.enum(['ED25519_SHA_512', 'ECDSA_SHA_256']),
});
const publicKeyInput = z.object({ KeyId: z.string() });

export const refused = (type: string, message = 'no'): KmsReply => ({ status: 400, body: { __type: type, message } });

/** Speaks the wire protocol of KMS (AWS JSON 1.1) for `GetPublicKey` and `Sign`. */
export async function kmsServer(): Promise<KmsServer> {
  const state: Omit<KmsServer, 'endpoint' | 'close'> = { calls: [], keys: new Map(), answer: () => undefined };
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const operation = String(request.headers['x-amz-target']).replace('TrentService.', '');
      const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
      const call = { operation, region, input: z.record(z.string(), z.unknown()).parse(JSON.parse(text)) };
      state.calls.push(call);
      const reply = state.answer(call) ?? replyTo(call, state.keys);
      if (reply === 'hang') return;
      response.writeHead(reply.status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a TCP port');
  return Object.assign(state, {
    endpoint: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
}

function replyTo({ operation, input }: KmsCall, keys: KmsServer['keys']): KmsReply {
  const key = keys.get(publicKeyInput.parse(input).KeyId);
  if (key === undefined) return refused('NotFoundException', 'Key does not exist');
  const { arn, spec, usage, secret } = key;
  if (operation === 'GetPublicKey') {
    const der = createPublicKey(secret).export({ format: 'der', type: 'spki' });
    return { status: 200, body: { KeyId: arn, PublicKey: der.toString('base64'), KeySpec: spec, KeyUsage: usage } };
  }
  const { Message, SigningAlgorithm } = signInput.parse(input);
  const hash = SigningAlgorithm === 'ECDSA_SHA_256' ? 'sha256' : null;
  const signature = sign(hash, Buffer.from(Message, 'base64'), secret).toString('base64');
  return { status: 200, body: { KeyId: arn, Signature: signature, SigningAlgorithm } };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
