import type { EvidenceSummary } from './summary.ts';
import { count } from './words.ts';

/** The README.txt of the evidence. */
export function readmeText(summary: EvidenceSummary): string {
  return [...about(summary), ...verification(summary), ...FILES].join('\n');
}

function about({ organizationId, since, until, entries }: EvidenceSummary): string[] {
  const name = organizationId === null ? 'of one AWS Organization' : `of the AWS Organization ${organizationId}`;
  return [
    `Evidence from the Rollcall audit log ${name}`,
    '',
    `Period: ${since} (included) to ${until} (not included).`,
    `It has ${count(entries.period, 'entry', 'entries')} of this period.`,
    '',
    'Rollcall keeps every account of an AWS Organization at the enrollments that a',
    'policy declares. Each observation, decision and change is an entry of its audit',
    'log.',
    '',
  ];
}

function verification({ checkpoint, verifierKey, limits }: EvidenceSummary): string[] {
  const byHand =
    checkpoint === null
      ? []
      : [
          'Without that page: log/ has the form of C2SP tlog-tiles, log/checkpoint is a C2SP',
          'signed checkpoint, and the hash of an entry is SHA-256 over its canonical JSON',
          'without the field "hash" (keys sorted, no spaces). Any tool for these formats',
          'works. Line n of entries-index.txt is the index in the log of line n of',
          'entries.ndjson. The leaves of the log, as text, are in log/tile/entries/.',
          ...(verifierKey === null ? [] : BY_OPENSSL),
          '',
        ];
  return [
    'HOW TO VERIFY',
    '',
    'Open verify.html in a browser, paste the public key and choose this ZIP file. The',
    'page needs no network and sends nothing. It needs the ZIP file itself, because a',
    'browser does not let a page read the files next to it.',
    '',
    'Get the public key from the owner of the log, separately from this ZIP file. A key',
    'that comes with the evidence does not prove who made it.',
    '',
    'If you kept a signed checkpoint from an earlier time, such as log/checkpoint of',
    'evidence that you verified before, paste it too. The page then verifies that the',
    'log still has every entry that this checkpoint covers.',
    '',
    'sha256sum -c SHA256SUMS finds damaged files.',
    '',
    ...byHand,
    ...(limits.length === 0 ? [] : ['WHAT IT DOES NOT SHOW', '', ...limits.flatMap((limit) => wrapped(limit)), '']),
  ];
}

const BY_OPENSSL = ['public-key.pem is the key in the form that openssl reads.'];

const FILES = [
  'FILES',
  '',
  'verify.html                   verifies this ZIP file, offline; it names the files that',
  '                              it cannot verify',
  'entries.ndjson                the entries, one JSON object a line, oldest first',
  'entries-index.txt             the index of each entry in the log; an empty line: no',
  '                              checkpoint covers it yet',
  'changes.csv                   every change: who, what, why, and how it ended',
  'report.json                   compliance at the start, at the end and over time,',
  '                              drift, and time to resolve it',
  'accounts-at-start.csv         the status of every account at the start of the period',
  'accounts-at-end.csv           the status of every account at the end of the period',
  'exemptions.json               accounts that a policy exempted, why, and until when',
  'approvals.json                plans that were approved to exceed the change cap',
  'policies/                     every policy that was in force; index.json says when',
  'oscal-assessment-results.json the same results as NIST OSCAL assessment results',
  'checkpoints/                  the signed checkpoints of the period',
  'log/                          the part of the transparency log that proves the entries',
  'verifier-key.txt              the public key of the checkpoints, for C2SP tools',
  'public-key.pem                the same key, for openssl',
  'evidence.json                 period, counts and checkpoints',
  'SHA256SUMS                    SHA-256 of each file',
  '',
];

const WIDTH = 80;

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(lines.length === 0 ? `- ${word}` : `  ${word}`);
  }
  return lines;
}
