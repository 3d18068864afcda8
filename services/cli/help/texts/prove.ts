import type { HelpTexts } from '../help-text.ts';

export const PROVE: HelpTexts = {
  audit: {
    summary: 'Read, verify, export and report on the audit log',
    examples: [
      ['rollcall audit list --type DriftDetected', 'detected drift, newest first'],
      ['rollcall audit verify', 'check that no entry was changed'],
      ['rollcall audit report --since 90d', 'compliance over time'],
    ],
    seeAlso: ['rollcall account', 'rollcall evidence'],
  },
  'audit list': {
    summary: 'List entries, newest first',
    formats: ['wide', 'csv', 'name'],
    examples: [
      ['rollcall audit list', 'the latest 50 entries'],
      ['rollcall audit list --account 123456789012', 'one account'],
      ['rollcall audit list --type DriftDetected', 'one type of entry'],
      ['rollcall audit list --follow', 'new entries as they are recorded'],
      ['rollcall audit list --changed-by maria.lopez', 'drift that this caller caused'],
      ['rollcall audit list --since 24h -o csv', 'the last day, for a spreadsheet'],
      ['rollcall audit list -o wide', 'times with seconds, full actors and ids'],
    ],
    seeAlso: ['rollcall audit show', 'rollcall audit export'],
  },
  'audit show': {
    summary: 'Show one entry in full, and verify it',
    description: 'Show one entry in full, and verify it against its neighbors in the chain.',
    examples: [
      ['rollcall audit show T7WK3M8P', 'an id that audit list printed'],
      ['rollcall audit show 123456789012#14', 'an entry by its position'],
    ],
    seeAlso: ['rollcall audit list', 'rollcall audit verify'],
  },
  'audit as-of': {
    summary: 'Show the status of every account at a point in time',
    examples: [
      ['rollcall audit as-of 2026-03-31', 'at the start of a day, UTC'],
      ['rollcall audit as-of 24h', 'a day ago'],
    ],
    seeAlso: ['rollcall audit report', 'rollcall accounts'],
  },
  'audit export': {
    summary: 'Export entries for other tools, oldest first',
    examples: [
      ['rollcall audit export --format csv --out audit.csv', 'everything, for a spreadsheet'],
      ['rollcall audit export --format ocsf --since 24h', 'the last day, for a SIEM'],
    ],
    seeAlso: ['rollcall audit list', 'rollcall audit verify'],
  },
  'audit verify': {
    summary: 'Check that the audit log is intact',
    description:
      'Check that every chain of the audit log is intact (no edit, no gap, no fork, no truncation), and that the transparency log has the same entries. This cannot show that the whole store was rewritten with new hashes, or replaced by an older copy. To detect that, compare it with a signed checkpoint that was kept elsewhere (--checkpoint).',
    examples: [
      ['rollcall audit verify', 'check every chain'],
      ['rollcall audit verify --checkpoint c.txt --key k.pem', 'compare with a checkpoint'],
      ['rollcall audit verify --digest digests.json', 'compare with digests kept elsewhere'],
    ],
    seeAlso: ['rollcall audit checkpoint', 'rollcall audit show'],
  },
  'audit report': {
    summary: 'Report compliance over time',
    description: 'Report compliance over time: percentage, drift count and age, time to resolve, by OU and by rule.',
    examples: [
      ['rollcall audit report', 'the last 30 days'],
      ['rollcall audit report --since 2026-01-01 --interval 7d', 'by week'],
    ],
    seeAlso: ['rollcall audit as-of', 'rollcall status'],
  },
  'audit proof': {
    summary: 'Print a proof that an entry is in the audit log',
    description:
      'Print a proof that the newest signed checkpoint covers an entry of the audit log. It is a C2SP tlog-proof: any tool for that format verifies it offline with the public key of the log. The leaf is SHA-256 over the byte 0 and four lines, each with a line break: rollcall-entry/v1, the chain, the number and the hash of the entry.',
    examples: [
      ['rollcall audit proof T7WK3M8P --out proof.txt', 'an id that audit list printed'],
      ['rollcall audit proof 123456789012#14', 'an entry by its position'],
      ['rollcall audit proof T7WK3M8P --json > p.json', 'with the entry and the checkpoint'],
      ['rollcall audit proof --verify p.json --key key.pem', 'verify it, without a store'],
    ],
    seeAlso: ['rollcall audit checkpoint', 'rollcall audit verify'],
  },
  'audit checkpoint': {
    summary: 'Print the newest signed checkpoint of the audit log',
    description:
      'Print the newest signed checkpoint of the audit log, a C2SP signed note. Keep a copy elsewhere: it shows later whether an entry that it covers was changed, removed or replaced. With ROLLCALL_CHECKPOINT_KEY set, serve and the deployed functions sign a checkpoint after each run, and within an hour of other new entries; apply and scan sign one when they end.',
    examples: [
      ['rollcall audit checkpoint > checkpoint.txt', 'a file for audit verify --checkpoint'],
      ['rollcall audit checkpoint --key > key.pem', 'the public key, for auditors'],
      ['rollcall audit checkpoint --new-key key.pem', 'create a key to sign with'],
    ],
    seeAlso: ['rollcall audit proof', 'rollcall audit verify'],
  },
  evidence: {
    summary: 'Pack a report with proofs for an auditor',
    description:
      'Pack the evidence of a period into one ZIP file: every entry and change, compliance over time, policies, exemptions, approvals, and the signed checkpoints and tiles of the transparency log that prove them. The page verify.html in it verifies the evidence in a browser, without Rollcall and without a network.',
    examples: [
      ['rollcall evidence --since 2026-01-01 --until 2026-04-01 --out q1.zip', 'a quarter'],
      ['rollcall evidence --since 90d --out evidence.zip', 'the last 90 days'],
    ],
    seeAlso: ['rollcall audit report', 'rollcall audit verify', 'rollcall audit checkpoint'],
  },
};
