const NAMES: ReadonlySet<string> = new Set([
  ...['verify.html', 'entries.ndjson', 'entries-index.txt', 'changes.csv', 'policies/index.json', 'exemptions.json'],
  ...['approvals.json', 'report.json', 'accounts-at-start.csv', 'accounts-at-end.csv', 'oscal-assessment-results.json'],
  ...['log/checkpoint', 'verifier-key.txt', 'public-key.pem', 'evidence.json', 'README.txt', 'SHA256SUMS'],
]);

const PATTERNS = [
  /^policies\/\d{4,}-[0-9a-z]{1,12}\.yaml$/,
  /^checkpoints\/\d{8}T\d{6}Z-\d+\.txt$/,
  /^log\/tile\/(?:entries|\d{1,2})\/(?:x\d{3}\/)*\d{3}(?:\.p\/\d{1,3})?$/,
];

/** Whether `rollcall evidence` writes a file of this name. Others could leave the directory or replace a file when they are unpacked. */
export function isEvidenceName(name: string): boolean {
  return NAMES.has(name) || PATTERNS.some((pattern) => pattern.test(name));
}
