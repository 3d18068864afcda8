import type { Pages } from './pages.ts';
import type { Principal } from './system.ts';

/** Details of a request that only the entry point (Node or Lambda) knows. */
export interface Visit {
  /** Node: the IP address of the client or proxy at the other end of the connection. */
  readonly remoteAddress?: string;
  /** Lambda: the request context of the event. It is not validated yet. */
  readonly requestContext?: unknown;
  /** Node: keeps the connection of an admitted request open until the answer is sent. @throws ApiProblem 503 if too many requests are under way */
  readonly hold?: (client: string, urgent: boolean) => void;
  /** Node: calls `then` when the answer has been sent or the client has disconnected. */
  readonly ended?: (then: () => void) => void;
}

/** An entry point of the app: a port of this machine (Node), or Lambda. */
export interface Door {
  /** Refuses requests for another host or from another origin. @param navigation whether the request is for a page @throws ApiProblem */
  readonly admit: (headers: Headers, navigation: boolean) => void;
  /** Authenticates the caller. @throws ApiProblem 401 */
  readonly identify: (headers: Headers, visit: Visit) => Principal;
  /** Requests without authentication that have the same key share one rate limit. */
  readonly client: (visit: Visit) => string;
  /** Headers in addition to those that every answer has. */
  readonly headers: Readonly<Record<string, string>>;
  /** The dashboard's files; `null`: the dashboard is not served here. */
  readonly pages: () => Promise<Pages | null>;
}
