import type { Progress } from '../../../shared/app/context.ts';
import type { CallCounts } from '../../../shared/app/rate-limiter/rate-limiter.ts';
import type { Config } from '../../../shared/config/config.ts';
import type { OrganizationAccount } from '../../../shared/domain/policy/index.ts';
import type { CloudErrorDetails, ReadAccountOptions } from '../../../shared/ports/cloud.ts';
import type { LoadedPolicy } from '../session.ts';

/*
 * The messages between the command's thread and the thread of its API. They are copied by the structured clone algorithm, so they contain no
 * functions and no instances of classes: a policy travels as its text.
 */

/**
 * How long calls to Organizations are retried for one event, ms; after that, a scan covers the account. EventBridge waits 5 s for an API
 * destination to respond and then sends the event again, so this leaves time for the last call and the stores.
 */
export const READ_RETRY_MS = 3_000;

export interface ApiFlags {
  readonly host: string;
  readonly port: number;
}

/** The text of a policy that was found valid. */
export type PolicySource = Pick<LoadedPolicy, 'file' | 'source'>;

/** What the API's thread starts with. */
export interface ThreadData {
  readonly config: Config;
  /** For the policy (`${VAR}`), the tokens and the SDK. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: ApiFlags;
  readonly policy: PolicySource;
}

type AccountQuery = Omit<ReadAccountOptions, 'retry'>;

/** The answer to `readAccount`. `details` are those of a `CloudError`; `null`: another error. */
export type AccountAnswer =
  | { readonly ok: true; readonly account: OrganizationAccount | null }
  | { readonly ok: false; readonly message: string; readonly details: CloudErrorDetails | null };

/** To the API's thread. */
export type ToApi =
  /** The policy in force. From now on, accounts can be read from AWS. */
  | { readonly kind: 'use'; readonly policy: PolicySource }
  /** The calls that the app has made since it was opened. */
  | { readonly kind: 'calls'; readonly counts: CallCounts }
  | { readonly kind: 'begin'; readonly runId: string }
  | { readonly kind: 'progress'; readonly event: Progress }
  | { readonly kind: 'scanned' }
  | { readonly kind: 'rest' }
  | { readonly kind: 'account'; readonly query: number; readonly answer: AccountAnswer }
  | { readonly kind: 'close' };

/** From the API's thread. */
export type FromApi =
  | { readonly kind: 'open'; readonly url: string; readonly port: number }
  /** The API could not be opened. `configuration`: the error is a `ConfigError`. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly configuration: boolean }
  | { readonly kind: 'note'; readonly text: string }
  | {
      readonly kind: 'readAccount';
      readonly query: number;
      readonly accountId: string;
      readonly options: AccountQuery;
    };
