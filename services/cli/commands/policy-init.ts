import { existsSync } from 'node:fs';
import { DEFAULT_POLICY } from '../../../shared/config/config.ts';
import { FileError } from '../../../shared/config/file-error.ts';
import { writeTextFile } from '../../../shared/config/text-file.ts';
import { quoted } from '../../../shared/domain/check-result.ts';
import { byKind, type EnrollmentId, kindOf } from '../../../shared/domain/enrollment/kinds/index.ts';
import type { CliContext } from '../context.ts';
import { PolicyError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { count } from '../ui/words.ts';
import { readWithProgress } from '../watch.ts';

export interface InitFlags {
  readonly out: string;
  readonly force?: boolean;
  readonly memberRole?: string;
  readonly externalId?: string;
}

export async function runInit(context: CliContext, flags: InitFlags): Promise<number> {
  const { output, config } = context;
  const { out, force = false } = flags;
  const toStdout = out === '-';
  // Check this before reading the organization, which takes minutes if it is large.
  if (!toStdout && !force && existsSync(out)) {
    throw new FileError(out, `${out} already exists; name another file with --out, or replace it with --force.`);
  }
  const probing = await probingPolicy(context, flags);
  const { describeOrganization } = await import('../../../shared/app/queries/policy-init.ts');
  const { inited, id } = await readWithProgress(context, probing, async ({ deps, settings, retrying }, onProgress) => {
    const described = await describeOrganization(deps, settings, retrying, probing, accessOf(flags), onProgress);
    return { inited: described, id: deps.newId() };
  });
  const { text, organizationId, accounts, active, unread, broken } = inited;
  if (!toStdout) writeTextFile(out, text, id, force ? 'replace' : 'refuse');
  const rules = await rulesIn(context, text);
  const flag = out === DEFAULT_POLICY ? '' : ` --policy ${quoted(out)}`;
  const written = [
    `Wrote ${out}: ${count(active, 'active account')} as they are now, ${count(rules, 'rule')}, mode: alert.`,
    `Next: change it to the desired state, then: ${config.program} plan${flag}`,
  ];
  const file = toStdout ? null : out;
  output.result({ file, organizationId, accounts, active, rules, unread, broken, policy: text }, () =>
    toStdout ? [text.trimEnd()] : written,
  );
  for (const sentence of broken) output.note(`warning: ${sentence}`);
  if (unread > 0)
    output.note(
      `warning: ${count(unread, 'active account')} could not be read in full; unknown settings are left unmanaged.`,
    );
  return unread > 0 || broken.length > 0 ? EXIT.partly : EXIT.ok;
}

function accessOf({ memberRole, externalId }: InitFlags) {
  return { ...(memberRole !== undefined && { memberRole }), ...(externalId !== undefined && { externalId }) };
}

/** A policy that manages every setting that a starter policy contains, so that all of them are read. It is never stored or applied. */
async function probingPolicy({ clock }: CliContext, flags: InitFlags) {
  const { compilePolicy, parsePolicy } = await import('../../../shared/domain/policy/index.ts');
  const organization = accessOf(flags);
  const wanted = (id: EnrollmentId) => (kindOf(id).sinceFirstRelease ? 'Active' : 'unmanaged');
  const defaults = { ...byKind(wanted), organizationRules: 'AnyAllowed', mode: 'alert' };
  // JSON is valid YAML, and escapes the values of the options.
  const text = JSON.stringify({ version: 1, organization, defaults });
  const parsed = parsePolicy(text, { file: '--member-role, --external-id', now: clock.now() });
  if (!parsed.ok) throw new PolicyError('--member-role or --external-id', parsed.findings);
  return compilePolicy(parsed.policy);
}

/** The number of rules of a written policy. */
async function rulesIn({ clock }: CliContext, text: string): Promise<number> {
  const { parsePolicy } = await import('../../../shared/domain/policy/index.ts');
  const parsed = parsePolicy(text, { file: 'policy init', now: clock.now() });
  return parsed.ok ? parsed.policy.rules.length : 0;
}
