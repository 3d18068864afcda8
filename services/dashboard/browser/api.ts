import { signal } from '@preact/signals';

/** Timeout of a request, ms. The largest report takes seconds, and a Lambda function URL answers within 30 s. */
const PATIENCE_MS = 60_000;
const NOT_MODIFIED = 304;
const NOT_ANSWERED = `Rollcall did not answer within ${PATIENCE_MS / 1_000} s.`;

/** An error that the API reports (RFC 9457), or the reason why no answer came. */
class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0: no answer came. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The request timed out. */
export class Unanswered extends ApiError {
  constructor() {
    super(0, `${NOT_ANSWERED} Trying again.`);
  }
}

/** The bearer token, if the API requires one. It is kept only in this tab, until the tab is closed. */
const TOKEN_KEY = 'rollcall-token';
export const token = signal<string | null>(sessionStorage.getItem(TOKEN_KEY));
/** The API refused a request because the token is missing or invalid. */
export const tokenWanted = signal(false);
/** Why the API refused the token; `null` if none was sent. */
export const tokenRefused = signal<string | null>(null);

export function useToken(text: string): void {
  sessionStorage.setItem(TOKEN_KEY, text);
  token.value = text;
  tokenWanted.value = false;
  tokenRefused.value = null;
}

export function headers(): Record<string, string> {
  return token.value === null ? {} : { authorization: `Bearer ${token.value}` };
}

/** Replaces the browser's error for a failed request by one that explains to the reader why no complete answer came. */
function unanswered(error: unknown): unknown {
  const name = error instanceof DOMException ? error.name : null;
  if (name === 'AbortError' || error instanceof ApiError || error instanceof SyntaxError) return error;
  if (name === 'TimeoutError') return new Unanswered();
  return new ApiError(0, 'Rollcall does not answer. It may have stopped, or the network is down.');
}

async function answerOf(request: Promise<Response>): Promise<Response> {
  try {
    const response = await request;
    if (response.ok || response.status === NOT_MODIFIED) return response;
    const problem = await problemOf(response);
    if (response.status === 401) wantToken(problem);
    throw new ApiError(response.status, problem);
  } catch (error) {
    throw unanswered(error);
  }
}

/** Opens the token dialog after the API answered 401. */
function wantToken(problem: string): void {
  if (token.value !== null) tokenRefused.value = problem;
  tokenWanted.value = true;
}

/** Opens the token dialog if `response` refuses the token that was `sent`, unless the user has entered another one since. */
export async function askForToken(response: Response, sent: string | null): Promise<void> {
  if (response.status !== 401) return;
  const problem = await problemOf(response);
  if (sent === token.value) wantToken(problem);
}

async function problemOf(response: Response): Promise<string> {
  const fallback = `Rollcall answered ${response.status} ${response.statusText}`;
  try {
    const body: { detail?: unknown; title?: unknown } = await response.json();
    for (const text of [body.detail, body.title]) if (typeof text === 'string' && text !== '') return text;
    return fallback;
  } catch (error) {
    if (error instanceof SyntaxError) return fallback;
    throw error;
  }
}

export async function get<T>(path: string, abort?: AbortSignal): Promise<T> {
  return jsonOf(await answerOf(fetch(path, { headers: headers(), signal: patient(abort) })));
}

interface Tagged<T> {
  readonly body: T;
  /** Identifies this version of the answer; `null`: the API gave none. */
  readonly tag: string | null;
}

/** @param tag of the version that the page already has. @returns `null` if that is still the current one */
export async function getTagged<T>(path: string, tag: string | null, abort: AbortSignal): Promise<Tagged<T> | null> {
  const conditions: Record<string, string> = tag === null ? {} : { 'if-none-match': tag };
  const request = fetch(path, { headers: { ...headers(), ...conditions }, signal: patient(abort) });
  const response = await answerOf(request);
  if (response.status === NOT_MODIFIED) return null;
  return { body: await jsonOf<T>(response), tag: response.headers.get('etag') };
}

function patient(abort: AbortSignal | undefined): AbortSignal {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  return abort === undefined ? patience : AbortSignal.any([abort, patience]);
}

async function jsonOf<T>(response: Response): Promise<T> {
  try {
    return await response.json();
  } catch (error) {
    throw unanswered(error);
  }
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const init = {
    method: 'POST',
    headers: { ...headers(), 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  };
  try {
    return await (await answerOf(fetch(path, init))).json();
  } catch (error) {
    const failure = unanswered(error);
    // A command is never repeated automatically.
    if (failure instanceof Unanswered)
      throw new ApiError(0, `${NOT_ANSWERED} The command may have taken effect anyway.`);
    throw failure;
  }
}

/** Downloads a file. @param type the media type, if the API has others for it too */
export async function download(path: string, type?: string): Promise<Blob> {
  const accept: Record<string, string> = type === undefined ? {} : { accept: type };
  return (await answerOf(fetch(path, { headers: { ...headers(), ...accept } }))).blob();
}
