import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Resource } from '../resource.ts';
import type { Status, Verification, WhoAmI } from '../types.ts';

/** What every page shows: read once by the frame, so that no two parts of a page show different numbers. */
export interface Source {
  readonly status: Resource<Status>;
  readonly whoami: Resource<WhoAmI>;
  readonly verification: Resource<Verification>;
}

const unread = { data: null, error: null, loading: true, reload: () => undefined };
export const SourceContext = createContext<Source>({ status: unread, whoami: unread, verification: unread });

/** The current state of the organization, the same for the frame and every part of a page. */
export function useStatus(): Resource<Status> {
  return useContext(SourceContext).status;
}

export function useWhoAmI(): WhoAmI | null {
  return useContext(SourceContext).whoami.data;
}

/** The last verification of the audit log. */
export function useVerification(): Resource<Verification> {
  return useContext(SourceContext).verification;
}

/** Whether the reader may operate; `false` until the API has answered. */
export function useMayOperate(): boolean {
  return useWhoAmI()?.role === 'operate';
}
