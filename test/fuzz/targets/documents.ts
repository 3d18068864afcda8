import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ledgerCursor as awsCursor } from '../../../shared/adapters/aws/dynamodb/ledger-cursor.ts';
import { ledgerCursor } from '../../../shared/adapters/embedded/ledger-cursor.ts';
import { readSavedPlan } from '../../../shared/app/plan/saved-plan.ts';
import { FileError } from '../../../shared/config/file-error.ts';
import { readJsonFile } from '../../../shared/config/text-file.ts';
import { parseCloudTrailEvent } from '../../../shared/domain/cloudtrail-event.ts';
import { type Change, planHash } from '../../../shared/domain/decision/plan.ts';
import { BadCursorError } from '../../../shared/ports/ledger.ts';
import { readMessage } from '../../../shared/ports/read-message.ts';
import { account, work } from '../../contract/samples.ts';
import { recorded } from '../../support/cloud-trail-events.ts';
import type { Chance } from '../chance.ts';
import { jsonCorpusOf } from '../corpus.ts';
import { jsonText, mutateBytes, mutateJson, mutateTexts } from '../mutate.ts';
import { must, type Read, type Target, take } from '../target.ts';

const NOTHING_IS_CLEAR = () => false;

export const NOW = Date.UTC(2026, 10, 2, 9);

export const closed = { close: async () => undefined };

const change: Change = {
  ...{ accountId: account(1), accountName: 'a', ou: '/A', enrollment: 'computeOptimizer', observed: 'Inactive' },
  ...{
    observedRuleMode: null,
    desired: 'Active',
    desiredRuleMode: null,
    verdict: 'Drifted',
    status: 'Drifted',
    optOut: false,
  },
  ...{ action: 'UpdateEnrollmentStatus', heldAction: 'none', scope: 'member', rule: 'r', reason: null },
  ...{ message: null, notBefore: '2026-11-02T09:00:00.000Z' },
};

function readPlan(value: unknown): Read {
  const input = jsonText(value);
  return take(
    input,
    () => {
      const result = readSavedPlan(value);
      if (result.ok) return 'accepted';
      must(
        result.problem !== '' && result.problem.length < 2_000,
        'a problem whose message is empty or too long',
        input,
      );
      return 'refused';
    },
    NOTHING_IS_CLEAR,
  );
}

/** A plan whose hash matches its changes, so that the reader gets as far as the changes. */
function planCase(chance: Chance): Read {
  const changes = Array.from({ length: chance.below(4) }, (_, n): Change => ({ ...change, accountId: account(n) }));
  const document = { organizationId: 'o-aaaaaaaaaa', policyHash: 'p', planHash: planHash('p', changes), changes };
  return readPlan(mutateJson(document, chance));
}

export const planTarget: Target = {
  name: 'plan',
  share: 10,
  open: async () => {
    const path = join(tmpdir(), `rollcall-fuzz-plan-${process.pid}.json`);
    const valid = jsonText({
      organizationId: 'o-aaaaaaaaaa',
      policyHash: 'p',
      planHash: planHash('p', [change]),
      changes: [change],
    });
    return {
      make: (chance) => {
        if (!chance.oneIn(50)) return planCase(chance);
        const bytes = mutateBytes(Buffer.from(valid), chance);
        writeFileSync(path, bytes);
        return take(
          Buffer.from(bytes).toString('base64'),
          () => (readSavedPlan(readJsonFile(path)).ok ? 'accepted' : 'refused'),
          (error) => error instanceof FileError && error.message.includes(path),
        );
      },
      corpus: jsonCorpusOf('plan').map((value) => readPlan(value)),
      close: async () => rmSync(path, { force: true }),
    };
  },
};

function readBody(body: string): Read {
  return take(
    body,
    () => {
      const { message, error } = readMessage(body);
      if (message !== null) return 'accepted';
      must(
        error.message !== '' && error.code !== '' && error.message.length < 2_000,
        'refused without a message',
        body,
      );
      return 'refused';
    },
    NOTHING_IS_CLEAR,
  );
}

const MESSAGES: readonly [unknown, ...unknown[]] = [
  work(1),
  {
    v: 1,
    policyHash: 'p',
    runId: 'r',
    planHash: 'h',
    kind: 'batch',
    operation: 'AssociateAccounts',
    accountIds: [account(1)],
  },
  { v: 1, policyHash: 'p', runId: 'r', planHash: null, kind: 'organization' },
  { v: 1, policyHash: 'p', runId: 'r', planHash: null, kind: 'organization', enrollment: 'computeOptimizer' },
];

export const messageTarget: Target = {
  name: 'message',
  share: 15,
  open: async () => ({
    make: (chance) => {
      const text = jsonText(mutateJson(chance.pick(MESSAGES), chance));
      return readBody(chance.oneIn(3) ? mutateTexts(text, chance) : text);
    },
    corpus: jsonCorpusOf('message').map((value) => readBody(jsonText(value))),
    ...closed,
  }),
};

const EVENTS: readonly [unknown, ...unknown[]] = [
  recorded('compute-optimizer.amazonaws.com', 'UpdateEnrollmentStatus', {
    account: account(1),
    at: NOW,
    detail: { requestParameters: { status: 'Inactive', includeMemberAccounts: true } },
  }),
  recorded('aco-automation.amazonaws.com', 'AssociateAccounts', {
    account: account(1),
    at: NOW,
    detail: { requestParameters: { accountIds: [account(2), account(3)] } },
  }),
  recorded('organizations.amazonaws.com', 'MoveAccount', {
    account: account(1),
    at: NOW,
    detail: { requestParameters: { accountId: account(2), sourceParentId: 'ou-a', destinationParentId: 'ou-b' } },
  }),
  recorded('organizations.amazonaws.com', 'AccountJoinedOrganization', {
    account: account(1),
    at: NOW,
    detail: { serviceEventDetails: { nested: { memberAccountId: account(4) }, organizationId: 'o-aaaaaaaaaa' } },
  }),
  recorded('organizations.amazonaws.com', 'LeaveOrganization', { account: account(5), at: NOW }),
];

function readEvent(value: unknown): Read {
  const input = jsonText(value);
  return take(
    input,
    () => {
      const heard = parseCloudTrailEvent(value, 'o-aaaaaaaaaa');
      if (heard.kind === 'ignored' || heard.kind === 'rejected') {
        must(heard.why !== '' && heard.why.length < 1_000, 'skipped without a reason', input);
        return 'refused';
      }
      must(
        heard.accountIds.every((id) => /^\d{12}$/.test(id)),
        'an invalid account id',
        input,
      );
      must(
        heard.accountIds.length > 0 || heard.wide || heard.unclear !== undefined,
        'an event that names no account',
        input,
      );
      if (heard.kind === 'enrollment') {
        const { actor, at, operation, requestId } = heard.by;
        must(/^[\x20-\x7e]{1,512}$/.test(actor) && /^\w+$/.test(operation), 'an actor with control characters', input);
        must(at === '' || !Number.isNaN(Date.parse(at)), 'an invalid time', input);
        must((requestId ?? '').length <= 200, 'a request id that is too long', input);
        must(/^[\x20-\x7e]*$/.test(requestId ?? ''), 'a request id with control characters', input);
      }
      return 'accepted';
    },
    NOTHING_IS_CLEAR,
  );
}

export const eventTarget: Target = {
  name: 'event',
  share: 15,
  open: async () => ({
    make: (chance) => readEvent(mutateJson(chance.pick(EVENTS), chance)),
    corpus: jsonCorpusOf('event').map((value) => readEvent(value)),
    ...closed,
  }),
};

export const cursorTarget: Target = {
  name: 'cursor',
  share: 8,
  open: async () => ({
    make: (chance) => {
      const aws = chance.oneIn(2);
      const valid = aws
        ? awsCursor.encode([1, `0001772366400000#${account(1)}#000000000001`])
        : ledgerCursor.encode([1, NOW, 3]);
      const raw = jsonText(mutateJson(aws ? [1, `0001772366400000#a#000000000001`] : [1, NOW, 3], chance));
      const text = chance.oneIn(2) ? mutateTexts(valid, chance) : Buffer.from(raw).toString('base64url');
      return take(
        text,
        () => {
          if (aws) must(awsCursor.encode(awsCursor.decode(text)) === text, 'decodes to a different cursor', text);
          else must(ledgerCursor.encode(ledgerCursor.decode(text)) === text, 'decodes to a different cursor', text);
        },
        (error) => error instanceof BadCursorError,
      );
    },
    corpus: [],
    ...closed,
  }),
};
