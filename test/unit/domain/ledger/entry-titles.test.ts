import { describe, expect, it } from 'vitest';
import { eventText } from '../../../../services/cli/ui/entry-words.ts';
import { whatChanged } from '../../../../services/dashboard/browser/entry-line.ts';
import type { Entry } from '../../../../services/dashboard/browser/types.ts';
import { entryTitle, titleInSentence } from '../../../../shared/domain/ledger/entry-titles.ts';
import { ENTRY_TYPES } from '../../../../shared/domain/ledger/entry-types.ts';

const ROOT = '5ff27a412f22322bed439339b41894f14e817c39b956760f85c1de6e6de6e838';

const entry = (parts: Partial<Entry>): Entry => ({
  ...{ id: '01', chain: '111122223333', seq: 1, at: '2026-12-01T09:41:00.000Z', type: 'ScanStarted', accountId: null },
  ...{ enrollment: null, runId: null, actor: 'rollcall', before: null, after: null, reason: null, rule: null },
  ...{ policyHash: null, api: null, detail: null, prevHash: ROOT, hash: ROOT, ...parts },
});

const facet: NonNullable<Entry['after']> = {
  ...{ verdict: 'Converging', reason: 'acted', status: 'Inactive', ruleMode: null, lastUpdated: null },
  ...{ desired: 'Active', desiredRuleMode: null, notBefore: null, deadline: null, attempts: 0 },
};

const accepted = entry({
  ...{ type: 'RemediationSucceeded', accountId: '111122223333', enrollment: 'computeOptimizer', reason: 'acted' },
  after: facet,
});

describe('the title of an entry', () => {
  it('names the organization rules if they alone have changed', () => {
    const state = { ...facet, verdict: 'Unmanaged', reason: null, status: 'Active', desired: null } as const;
    const changed = entry({
      ...{ type: 'VerdictChanged', accountId: '111122223333', enrollment: 'automation' },
      ...{ before: { ...state, ruleMode: 'NoneAllowed' }, after: state },
    });
    expect(eventText(changed)).toBe('Status changed: Automation organization rules NoneAllowed → –');
  });

  it('is a sentence in the words of the glossary, for every type', () => {
    const titles = ENTRY_TYPES.map((type) => entryTitle(type));
    expect(new Set(titles).size).toBe(ENTRY_TYPES.length);
    for (const title of titles) expect(title).toMatch(/^[A-Z][a-z]+( ([a-z]+|AWS))*$/);
    expect(titles.filter((title) => /verdict|flap|convergence/i.test(title))).toEqual([]);
  });

  it('says that a change is accepted, not that it has succeeded, while it waits for confirmation', () => {
    expect(entryTitle('RemediationSucceeded')).toBe('Change accepted by AWS');
    expect(titleInSentence('RemediationSucceeded')).toBe('change accepted by AWS');
    expect(eventText(accepted)).toBe('Change accepted by AWS: Compute Optimizer, waiting for confirmation');
    expect(whatChanged(accepted)).toBe('Compute Optimizer: waiting for confirmation');
  });

  it('of a digest is followed by its numbers and the first digits of its root, without a command', () => {
    const message = `1891 entries in 501 chains; compare with rollcall audit verify --digest ${ROOT}`;
    const digest = {
      day: '2026-12-01',
      algorithm: 'sha256' as const,
      root: ROOT,
      chains: 501,
      entries: 1891,
      list: ROOT,
    };
    const published = entry({ type: 'DigestPublished', chain: 'organization', detail: { message, digest } });
    expect(whatChanged(published)).toBe('1,891 entries in 501 chains, digest 5ff27a41');
    expect(eventText(published)).toBe('Digest published: 1,891 entries in 501 chains, digest 5ff27a412f22');
  });

  it('of a restore has the short names of actors', () => {
    const actor = 'arn:aws:sts::111122223333:assumed-role/Operators/anna';
    const message = `restored from b.db by ${actor}; already halted 2026-12-01T09:41:00.000Z by ${actor}: fire`;
    const halted = entry({ type: 'EnforcementHalted', chain: 'organization', detail: { message } });
    expect(eventText(halted)).toMatch(
      /: restored from b\.db by role\/Operators\/anna; already halted 2026-12-01 09:41 UTC by role\/Operators\/anna: fire$/,
    );
  });
});
