import type { Pages } from './pages.ts';
import type { Principal } from './system.ts';

/** What a door says of a request beside the request. */
export interface Visit {
  /** Node: the other end of the connection. */
  readonly remoteAddress?: string;
  /** Lambda: what its front door knows of the request; checked where it is used. */
  readonly requestContext?: unknown;
  /**
   * Node: marks the request as admitted; its connection is then kept open until the answer is sent.
   * @param urgent it may use the reserve of connections
   * @throws ApiProblem 503 if too many requests are under way
   */
  readonly hold?: (client: string, urgent: boolean) => void;
  /** Node: calls back when the answer has been sent or the client has gone. */
  readonly ended?: (then: () => void) => void;
}

/** What the app has to know of the way by which requests reach it. */
export interface Door {
  /**
   * Refuses requests that must not be looked at: for another host, from another origin.
   * @param navigation it is for a page, not for the API
   * @throws ApiProblem
   */
  readonly admit: (headers: Headers, navigation: boolean) => void;
  /** Who asks. @throws ApiProblem 401 */
  readonly identify: (headers: Headers, visit: Visit) => Principal;
  /** The origin of a request, for which refused requests and requests without authentication are counted. */
  readonly client: (visit: Visit) => string;
  /** Beside those that every door sends. */
  readonly headers: Readonly<Record<string, string>>;
  /** The dashboard's files; `null`: it is not served here. */
  readonly pages: () => Promise<Pages | null>;
}
