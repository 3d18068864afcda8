import { safeParseUntrusted } from '../../safe-parse.ts';
import { cronFindings } from '../lint/cron-checks.ts';
import { staticFindings } from '../lint/static-checks.ts';
import { windowFindings } from '../lint/window-checks.ts';
import type { Place, Policy } from '../types.ts';
import { checkRaw, checkWebhook, rawContext } from './cross-field-checks.ts';
import { type Finding, shown } from './findings.ts';
import type { Spot } from './nodes.ts';
import { normalize } from './normalize.ts';
import { readYaml } from './read-yaml.ts';
import { reporter } from './report.ts';
import { fieldsNamed, PolicyDocument } from './schema.ts';
import { issueFindings } from './schema-findings.ts';
import { shownSource } from './shown-source.ts';

export type PolicyResult =
  | { readonly ok: true; readonly policy: Policy; readonly warnings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

export interface ParseOptions {
  /** The name of the file in findings; it is not opened. */
  readonly file: string;
  /** Epoch ms; decides which exemptions have expired or end too far ahead. */
  readonly now: number;
  /** For `${VAR}` in notify.webhook.url and notify.webhook.secret. `null`: this process sends no messages and has no variables. */
  readonly env?: Readonly<Record<string, string | undefined>> | null;
}

const MAX_FINDINGS = 1000;

/** Reads, checks and normalizes a policy file (docs/reference/policy.md). Returns all findings together; never throws because of the text. */
export function parsePolicy(text: string | Uint8Array, opts: ParseOptions): PolicyResult {
  const findings: Finding[] = [];
  const taken = readYaml(text, opts.file, findings);
  if (taken === null) return { ok: false, findings: inOrder(findings) };

  const parsed = safeParseUntrusted(PolicyDocument, taken.value);
  if (!parsed.success)
    for (const finding of issueFindings(parsed.error.issues, taken, opts.file, fieldsNamed)) findings.push(finding);
  const reports = { error: reporter(opts.file, findings), warn: reporter(opts.file, findings, 'warning') };
  const context = rawContext(taken, opts, reports);
  checkRaw(context);
  const webhook = checkWebhook(context);
  if (!parsed.success || findings.some(isError)) return { ok: false, findings: inOrder(findings) };

  const source = { file: opts.file, places: placesOf(taken.spots), text: shownSource(taken.text, taken) };
  const policy = normalize(parsed.data, webhook, source);
  for (const finding of staticFindings(policy)) findings.push(finding);
  for (const finding of [...cronFindings(policy), ...windowFindings(policy, opts.now)]) findings.push(finding);
  if (findings.some(isError)) return { ok: false, findings: inOrder(findings) };
  return { ok: true, policy, warnings: inOrder(findings) };
}

function isError(finding: Finding): boolean {
  return finding.severity === 'error';
}

/** Keeps positions only, because the source text of a scalar may be a secret. */
function placesOf(spots: ReadonlyMap<string, Spot>): ReadonlyMap<string, Place> {
  return new Map([...spots].map(([path, spot]) => [path, spot.value]));
}

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const sorted = findings.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const last = sorted[MAX_FINDINGS];
  if (last === undefined) return sorted;
  const more = sorted.length - MAX_FINDINGS;
  const message = `${more} more findings from here on`;
  const found = shown(`${more} more`);
  const rest: Finding = { ...last, severity: 'error', path: '', message, found, expected: '', hint: '' };
  return [...sorted.slice(0, MAX_FINDINGS), rest];
}
