import { signal } from '@preact/signals';

/** An error as the API answers it (RFC 9457), or what kept it from answering. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0: no answer came. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
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

async function answerOf(request: Promise<Response>): Promise<Response> {
  let response: Response;
  try {
    response = await request;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'Rollcall does not answer. It may have been stopped, or the network is down.');
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (response.status === 401) {
    if (token.value !== null) tokenRefused.value = problem;
    tokenWanted.value = true;
  }
  throw new ApiError(response.status, problem);
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
  const response = await answerOf(
    fetch(path, { headers: headers(), ...(abort === undefined ? {} : { signal: abort }) }),
  );
  return response.json();
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const init = {
    method: 'POST',
    headers: { ...headers(), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const response = await answerOf(fetch(path, init));
  return response.json();
}

/** A file as the API exports it. */
export async function download(path: string): Promise<Blob> {
  return (await answerOf(fetch(path, { headers: headers() }))).blob();
}
