import { signal } from '@preact/signals';

/** How long an answer may take, ms: the largest report takes seconds, and behind Lambda's door none may take longer than 30 s. */
const PATIENCE_MS = 60_000;
const NOT_ANSWERED = `Rollcall has not answered within ${PATIENCE_MS / 1_000} s.`;

/** An error as the API answers it (RFC 9457), or what kept it from answering. */
class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0: no answer came. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Nothing came within the time that an answer may take. */
export class Unanswered extends ApiError {
  constructor() {
    super(0, `${NOT_ANSWERED} It is asked again.`);
  }
}

/** The bearer token, where the API wants one. It is kept until the tab is closed, and nowhere else. */
const TOKEN_KEY = 'rollcall-token';
export const token = signal<string | null>(sessionStorage.getItem(TOKEN_KEY));
/** The API has refused us for lack of a token that holds. */
export const tokenWanted = signal(false);
/** Why the token that we sent was refused; `null`: we had none. */
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

/** No answer came, or only part of one. */
function unanswered(error: unknown): unknown {
  const name = error instanceof DOMException ? error.name : null;
  if (name === 'AbortError' || error instanceof ApiError || error instanceof SyntaxError) return error;
  if (name === 'TimeoutError') return new Unanswered();
  return new ApiError(0, 'Rollcall does not answer. It may have been stopped, or the network is down.');
}

async function answerOf(request: Promise<Response>): Promise<Response> {
  try {
    const response = await request;
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (response.status === 401) wantToken(problem);
    throw new ApiError(response.status, problem);
  } catch (error) {
    throw unanswered(error);
  }
}

/** The API has answered 401, and why. */
function wantToken(problem: string): void {
  if (token.value !== null) tokenRefused.value = problem;
  tokenWanted.value = true;
}

/** Asks for a token where `response` refuses the one that was `sent`, unless there is another one by now. */
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
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const signal = abort === undefined ? patience : AbortSignal.any([abort, patience]);
  const response = await answerOf(fetch(path, { headers: headers(), signal }));
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
    const told = unanswered(error);
    // A command is never repeated on our own account.
    if (told instanceof Unanswered) throw new ApiError(0, `${NOT_ANSWERED} It may have been done all the same.`);
    throw told;
  }
}

/** A file as the API exports it. */
export async function download(path: string): Promise<Blob> {
  return (await answerOf(fetch(path, { headers: headers() }))).blob();
}
