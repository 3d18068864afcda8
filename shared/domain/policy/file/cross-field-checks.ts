/** Checks that need several values, today's date or the environment. They run even if other parts of the file are wrong. */

import { KINDS } from '../../enrollment/kinds/index.ts';
import { FIELDS } from '../types.ts';
import { type Path, renderPath, shown } from './findings.ts';
import type { Taken } from './nodes.ts';
import { type Complaint, type Report, START } from './report.ts';
import { valueAt } from './schema-findings.ts';
import {
  DAY_MS,
  fillTemplate,
  formatDate,
  oneYearAfter,
  parseDate,
  templateVariables,
  VARIABLE_SYNTAX,
} from './values.ts';

export interface RawContext {
  readonly taken: Taken;
  readonly now: number;
  /** `null`: the variables are not filled in by this process. */
  readonly env: Readonly<Record<string, string | undefined>> | null;
  readonly error: (path: Path, complaint: Complaint) => void;
  readonly warn: (path: Path, complaint: Complaint) => void;
}

export function rawContext(
  taken: Taken,
  opts: { now: number; env?: RawContext['env'] },
  reports: { error: Report; warn: Report },
): RawContext {
  const at = (report: Report) => (path: Path, complaint: Complaint) =>
    report(taken.spots.get(renderPath(path))?.value ?? START, path, complaint);
  return {
    taken,
    now: opts.now,
    env: opts.env === undefined ? {} : opts.env,
    error: at(reports.error),
    warn: at(reports.warn),
  };
}

export function checkRaw(context: RawContext): void {
  const rules = listAt(context, 'rules');
  checkIds(context, rules);
  checkContradiction(context, ['defaults'], true);
  for (let i = 0; i < rules.length; i++) {
    checkSetsSomething(context, i);
    checkContradiction(context, ['rules', i], false);
    checkPlaceholders(context, ['rules', i, 'match']);
  }
  const exemptions = listAt(context, 'exemptions');
  for (let i = 0; i < exemptions.length; i++) checkUntil(context, ['exemptions', i, 'until']);
}

function listAt(context: RawContext, key: string): readonly unknown[] {
  const value = valueAt(context.taken.value, [key]);
  return Array.isArray(value) ? value : [];
}

function checkIds(context: RawContext, rules: readonly unknown[]): void {
  const first = new Map<string, number>();
  for (let i = 0; i < rules.length; i++) {
    const id = valueAt(rules[i], ['id']);
    if (typeof id !== 'string') continue;
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, i);
    else {
      const line = context.taken.spots.get(renderPath(['rules', earlier, 'id']))?.value.line;
      context.error(['rules', i, 'id'], {
        message: `the rule id ${shown(id)} is used twice`,
        found: shown(id),
        expected: `a unique id; line ${line} already has this one`,
        hint: 'Choose another: plans and the audit log identify rules by their id.',
      });
    }
  }
}

function checkSetsSomething(context: RawContext, index: number): void {
  const rule = valueAt(context.taken.value, ['rules', index]);
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) return;
  if (FIELDS.some((field) => Object.hasOwn(rule, field))) return;
  context.error(['rules', index], {
    message: 'this rule sets nothing',
    found: 'no field',
    expected: `at least one of ${FIELDS.join(', ')}`,
    hint: 'Add what should hold for these accounts, or remove the rule.',
  });
}

/** Reports contradictions within one rule or the defaults. Those across rules depend on the account and are found later. */
function checkContradiction(context: RawContext, path: Path, isDefaults: boolean): void {
  const read = (field: string): unknown => {
    const value = valueAt(context.taken.value, [...path, field]);
    return value === undefined && isDefaults ? 'unmanaged' : value;
  };
  for (const { id, title, hasRuleMode, prerequisites } of KINDS) {
    const status = read(id);
    if (
      hasRuleMode &&
      read('organizationRules') === 'AnyAllowed' &&
      (status === 'Inactive' || status === 'unmanaged')
    ) {
      context.error([...path, 'organizationRules'], {
        message: `contradiction: organizationRules: AnyAllowed needs ${id}: Active, because associating an account enables ${title} there`,
        found: `\`${id}: ${status}\``,
        expected: `\`${id}: Active\``,
        hint: `Set \`${id}: Active\` here, or set organizationRules to NoneAllowed or unmanaged.`,
      });
    }
    for (const prerequisite of prerequisites) {
      if (status !== 'Active' || read(prerequisite) !== 'Inactive') continue;
      context.error([...path, id], {
        message: `contradiction: ${id}: Active needs ${prerequisite}: Active`,
        found: `\`${prerequisite}: Inactive\``,
        expected: `\`${prerequisite}: Active\``,
        hint: `Set \`${prerequisite}: Active\` here, or set ${id} to Inactive or unmanaged.`,
      });
    }
  }
}

/** Reports `${VAR}` in selectors, because the author probably expects it to be filled in. */
function checkPlaceholders(context: RawContext, path: Path): void {
  const value = valueAt(context.taken.value, path);
  if (typeof value === 'string' && /\$\{\w+\}/.test(value)) {
    context.warn(path, {
      message: 'variables are not filled in here: this text is taken literally',
      found: shown(value),
      expected: 'the value itself',
      hint: 'Only notify.webhook.url and notify.webhook.secret can contain variables.',
    });
  } else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value))
      checkPlaceholders(context, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

function checkUntil(context: RawContext, path: Path): void {
  const until = valueAt(context.taken.value, path);
  const start = typeof until === 'string' ? parseDate(until) : null;
  if (typeof until !== 'string' || start === null) return; // the schema has reported it
  const latest = oneYearAfter(context.now);
  if (start > latest) {
    context.error(path, {
      message: 'the exemption lasts too long',
      found: shown(until),
      expected: `at most one year from today: ${formatDate(latest)} or earlier`,
      hint: 'Choose an earlier day; its end is announced 7 days before, and it can be extended then.',
    });
  } else if (context.now >= start + DAY_MS) {
    context.warn(path, EXPIRED(until, context.now));
  }
}

export const EXPIRED = (until: string, now: number): Complaint => ({
  message: 'this exemption has expired and has no effect',
  found: shown(until),
  expected: `${formatDate(now)} or later`,
  hint: 'Remove it, or extend it.',
});

const URL_PATH: Path = ['notify', 'webhook', 'url'];
const SECRET_PATH: Path = ['notify', 'webhook', 'secret'];

/** The webhook's URL and secret with their variables filled in; each is null if it is missing or wrong. Reports what is wrong. */
export function checkWebhook(context: RawContext): { readonly url: string | null; readonly secret: string | null } {
  return { url: checkUrl(context), secret: fillIn(context, SECRET_PATH) };
}

function checkUrl(context: RawContext): string | null {
  const url = fillIn(context, URL_PATH);
  if (url === null || isWebhookUrl(url)) return url;
  const names = templateVariables(String(valueAt(context.taken.value, URL_PATH))) ?? [];
  const where = names.length === 0 ? 'The URL' : `The URL with ${names.join(', ')} filled in`;
  context.error(URL_PATH, {
    message: 'not a usable URL',
    found: 'a value that is not shown here',
    expected: 'an https URL',
    hint: `${where} must begin with https:// and have no spaces.`,
  });
  return null;
}

/** The text at a path with its variables filled in; null if it is missing or a variable is wrong. Reports what is wrong. */
function fillIn(context: RawContext, path: Path): string | null {
  const { env } = context;
  const template = valueAt(context.taken.value, path);
  if (typeof template !== 'string') return null;
  const complain = (message: string, found: string, expected: string, hint: string): void =>
    context.error(path, { message, found, expected, hint });
  const names = templateVariables(template);
  if (names === null) {
    const hint = 'Names are letters, digits and _.';
    complain('malformed variable', 'an unfinished `${`', shown(VARIABLE_SYNTAX), hint);
    return null;
  }
  if (env === null) return null;
  const values: Record<string, string> = {};
  for (const name of names) {
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value) values[name] = value;
    else {
      const found = value === '' ? `${name} is empty` : `no variable ${name}`;
      const hint = `Set ${name} where Rollcall runs, or remove the webhook.`;
      complain(`the environment variable ${name} is not set`, found, 'its value', hint);
    }
  }
  return Object.keys(values).length < names.length ? null : fillTemplate(template, values);
}

/** https, or plain http to this machine, where nobody can eavesdrop. */
function isWebhookUrl(text: string): boolean {
  if (/\s/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}
