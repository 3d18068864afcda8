import { type DocumentInfo, FOREVER } from './document-info.ts';

interface OtherDocumentInfo extends DocumentInfo {
  readonly upgrade: string;
}

/** Stored documents that are not registers. Their owners are files in `shared`. */
export const OTHER_DOCUMENTS: readonly OtherDocumentInfo[] = [
  {
    name: 'Ledger entry',
    purpose: 'One event in the audit log',
    owner: 'domain/ledger/entry',
    lifetime: 'As the policy’s retention says; without one, forever',
    upgrade: 'The hash of an entry covers all its fields. A new field is optional and absent from older entries',
  },
  {
    name: 'Account record',
    purpose: 'The present state of an account, computed from its chain',
    owner: 'domain/account/record',
    lifetime: FOREVER,
    upgrade:
      'Derived from the audit log; a new field is optional, and `audit verify` compares the record with its chain',
  },
  {
    name: 'Organization snapshot',
    purpose: 'Accounts, organizational units and tags of the last scan',
    owner: 'ports/snapshot-store',
    lifetime: 'Until the next scan replaces it',
    upgrade: 'The next scan replaces it',
  },
  {
    name: 'Work message',
    purpose: 'A key on the queue or in the dead letters',
    owner: 'domain/work-message',
    lifetime: 'Until acknowledged; 14 days on the queue, 14 days as a dead letter',
    upgrade:
      'The message contains its version `v`. A worker dead-letters a message of another version, and the next scan enqueues the account again',
  },
  {
    name: 'Saved plan',
    purpose: 'The file that `plan --out` writes and `apply --plan` reads',
    owner: 'app/plan/saved-plan',
    lifetime: 'As long as the user keeps the file',
    upgrade:
      'The plan hash covers its changes. A new field has a default, and `apply` refuses a plan whose hash differs',
  },
];
