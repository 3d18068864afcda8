import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type LogCheckpoint, openCheckpoint, parseCheckpoint } from '../../shared/domain/transparency/checkpoint.ts';
import { cosigner } from '../../shared/domain/transparency/cosignature.ts';
import { fromBase64, fromDecimal } from '../../shared/domain/transparency/encoding.ts';
import { UnprovenError } from '../../shared/domain/transparency/errors.ts';
import { noteVerifier } from '../../shared/domain/transparency/note-verifier.ts';
import { publicKeyOf } from '../../shared/domain/transparency/public-key.ts';
import { parseNote, signNote } from '../../shared/domain/transparency/signed-note.ts';
import { type VerifierKey, verifierKey } from '../../shared/domain/transparency/verifier-key.ts';
import { verifyConsistency } from '../../shared/domain/transparency/verify-proof.ts';

/** Answers a request in place of the witness. `request` is its body. */
export type WitnessBehaviour = (response: ServerResponse, request: string) => void;

/** What a witness can do wrong. */
export const misbehaving = {
  refusing:
    (status: number): WitnessBehaviour =>
    (response) =>
      void response.writeHead(status, { 'content-type': 'text/plain' }).end('no\n'),
  saying:
    (status: number, type: string, body: string | Uint8Array): WitnessBehaviour =>
    (response) =>
      void response.writeHead(status, { 'content-type': type }).end(body),
  redirecting:
    (location: string): WitnessBehaviour =>
    (response) =>
      void response.writeHead(307, { location }).end(),
  hanging: (() => undefined) satisfies WitnessBehaviour,
  /** Sends the beginning of an answer and nothing more. */
  stopping: ((response) => void response.writeHead(200).write('— w')) satisfies WitnessBehaviour,
  closing: ((response) => void response.socket?.destroy()) satisfies WitnessBehaviour,
  endless: ((response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  }) satisfies WitnessBehaviour,
};

export interface TestWitness {
  readonly url: string;
  /** Of type `cosignature`. */
  readonly key: VerifierKey;
  /** The bodies of all requests. */
  readonly requests: string[];
  /** The newest checkpoint that it has signed, by origin. */
  readonly signed: Map<string, LogCheckpoint>;
  /** `null`: as the specification says. */
  behave: WitnessBehaviour | null;
  /** Signs a text without checking anything, which only a witness that lies does. */
  lie(text: string): Promise<string>;
  close(): void;
}

interface WitnessOptions {
  readonly name: string;
  /** The logs that it knows, by their keys. The name of a key is the origin. A function: the keys of a log by its origin. */
  readonly logs: readonly VerifierKey[] | ((origin: string) => readonly VerifierKey[]);
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** A small witness over HTTP, by C2SP tlog-witness, which keeps its state in memory. */
export async function startWitness({ name, logs, now }: WitnessOptions): Promise<TestWitness> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = verifierKey({ name, type: 'cosignature', publicKey: publicBytes(privateKey) });
  const cosign = async (text: string): Promise<string> => {
    const plain = async (message: Uint8Array) => new Uint8Array(sign(null, message, privateKey));
    const signer = cosigner({ name, publicKey: key.publicKey, time: now(), sign: plain });
    return (await signNote({ text, signatures: [] }, [signer])).slice(text.length + 1);
  };
  const witness = { url: '', key, requests: [] as string[], signed: new Map<string, LogCheckpoint>() };
  const state: TestWitness = { ...witness, behave: null, lie: cosign, close: () => undefined };
  const server = createServer((request, response) => {
    void textOf(request).then(async (body) => {
      state.requests.push(body);
      if (state.behave !== null) return state.behave(response, body);
      const { status, type = 'text/plain', text } = await addCheckpoint(body, { logs, signed: state.signed, cosign });
      response.writeHead(request.url === '/witness/add-checkpoint' ? status : 404, { 'content-type': type }).end(text);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a TCP port');
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return Object.assign(state, { url: `http://127.0.0.1:${address.port}/witness`, close });
}

function publicBytes(secret: KeyObject): Uint8Array {
  const found = publicKeyOf(secret);
  if (found === null) throw new Error('not an Ed25519 key');
  return found.publicKey;
}

interface State {
  readonly logs: WitnessOptions['logs'];
  readonly signed: Map<string, LogCheckpoint>;
  readonly cosign: (text: string) => Promise<string>;
}

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly text: string;
}

/** The rules of the specification, in their order. Checks and update happen in one turn, so two requests cannot roll the state back. */
async function addCheckpoint(body: string, { logs, signed, cosign }: State): Promise<Answer> {
  const [, old = '', proof = '', note = ''] = /^old (\d+)\n((?:[A-Za-z0-9+/=]+\n)*)\n(.+)$/s.exec(body) ?? [];
  if (note === '') return { status: 400, text: 'malformed\n' };
  const oldSize = fromDecimal(old, 'old size');
  const path =
    proof === ''
      ? []
      : proof
          .slice(0, -1)
          .split('\n')
          .map((line) => fromBase64(line, 'proof'));
  const { text } = parseNote(note);
  const checkpoint = parseCheckpoint(text);
  const known = typeof logs === 'function' ? logs(checkpoint.origin) : logs;
  const keys = known.filter((each) => each.name === checkpoint.origin);
  if (keys.length === 0) return { status: 404, text: 'unknown log\n' };
  const isSigned = holds(() => openCheckpoint(note, { origin: checkpoint.origin, log: keys.map(noteVerifier) }));
  if (!isSigned) return { status: 403, text: 'not signed by this log\n' };
  if (oldSize > checkpoint.size) return { status: 400, text: 'the old size is larger\n' };
  const last = signed.get(checkpoint.origin);
  if ((last?.size ?? 0) !== oldSize) {
    return { status: 409, type: 'text/x.tlog.size', text: `${last?.size ?? 0}\n` };
  }
  const isEmpty = last === undefined || last.size === 0;
  const isConsistent = isEmpty ? path.length === 0 : holds(() => verifyConsistency(last, checkpoint, path));
  if (!isConsistent) return { status: 422, text: 'not consistent\n' };
  signed.set(checkpoint.origin, checkpoint);
  return { status: 200, text: await cosign(text) };
}

function holds(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof UnprovenError) return false;
    throw error;
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
