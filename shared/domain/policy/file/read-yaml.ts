/** Reads untrusted YAML: one document of bounded size and depth, without aliases, tags or duplicate keys. Never throws. */
import { Composer, type Document, Lexer, LineCounter, Parser } from 'yaml';
import { decode } from './decode.ts';
import { type Finding, shown } from './findings.ts';
import { isUnwritten, MAX_DEPTH, placeAt, type Read, TOO_DEEP, takeOver } from './nodes.ts';
import { type Complaint, type Report, reporter, START } from './report.ts';

const MAX_SYNTAX_FINDINGS = 100;

/** The data of the file; null, with a finding, if its text has no usable structure. @param empty the finding for an empty file */
export function readYaml(
  input: string | Uint8Array,
  file: string,
  findings: Finding[],
  empty: Complaint = EMPTY,
): Read | null {
  const report = reporter(file, findings);
  const text = decode(input, report);
  if (text === null || !isModest(text, report)) return null;
  const lines = new LineCounter();
  const document = compose(text, lines, report, empty);
  return document === null || findings.length > 0 ? null : { ...takeOver(document, lines, report), text };
}

/** Maximum number of YAML nodes: enough for 50,000 account ids. Each costs the YAML library about a kilobyte and 10 µs. */
const MAX_NODES = 100_000;
const TOO_MANY: Complaint = {
  message: 'the file has too many values',
  found: `more than ${MAX_NODES} list items, keys and values`,
  expected: `at most ${MAX_NODES}`,
  hint: 'Match by ou, tags or name instead of listing accounts.',
};

/**
 * Whether the depth and the number of nodes are within their limits. Checked on the tokens, before the YAML library recurses and
 * keeps every node: otherwise `[[[[…` would exhaust the stack, and `- - - …` the memory.
 */
function isModest(text: string, report: Report): boolean {
  const depth = new DepthGauge();
  let offset = 0;
  let isScalar = false;
  let nodes = 0;
  for (const token of new Lexer().lex(text)) {
    if (MARKS.has(token)) {
      isScalar = token === SCALAR_MARK;
      continue;
    }
    depth.take(isScalar ? SCALAR_MARK : token);
    if (isScalar || /^[-?[{"']/.test(token)) nodes += 1;
    isScalar = false;
    if (depth.value > MAX_DEPTH || nodes > MAX_NODES) {
      const before = text.slice(0, offset);
      const place = { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
      report(place, [], nodes > MAX_NODES ? TOO_MANY : TOO_DEEP);
      return false;
    }
    offset += token.length;
  }
  return true;
}

/** Separators that the lexer inserts between tokens; not part of the text. */
const SCALAR_MARK = '\u001f';
const MARKS = new Set(['\u0002', '\u0018', SCALAR_MARK]);
const FLOW_STEP: Readonly<Record<string, number>> = { '[': 1, '{': 1, ']': -1, '}': -1 };

/** Computes an upper bound of the nesting of a token stream. */
class DepthGauge {
  #flow = 0;
  /** Indentations of the lines that enclose the present one. */
  readonly #indents: number[] = [];
  /** `-`, `?` and `:` on the present line: each may open a level. */
  #indicators = 0;
  /** The present column if the line has only white space so far, else null. */
  #blank: number | null = 0;

  get value(): number {
    return Math.max(this.#flow, this.#indents.length + this.#indicators);
  }

  take(token: string): void {
    if (/^[\r\n]/.test(token)) {
      this.#indicators = 0;
      this.#blank = 0;
      return;
    }
    if (token.startsWith('#')) return;
    if (/^[ \t]/.test(token)) {
      if (this.#blank !== null) this.#blank += token.length;
      return;
    }
    this.#flow = Math.max(0, this.#flow + (FLOW_STEP[token] ?? 0));
    if (this.#flow > 0) return;
    if (this.#blank !== null) this.#enter(this.#blank);
    if (/^[-?:]$/.test(token)) this.#indicators++;
  }

  #enter(indent: number): void {
    while ((this.#indents.at(-1) ?? -1) >= indent) this.#indents.pop();
    this.#indents.push(indent);
    this.#blank = null;
  }
}

function compose(text: string, lines: LineCounter, report: Report, empty: Complaint): Document.Parsed | null {
  // uniqueKeys takes quadratic time; takeOver() finds duplicates with a set.
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: false,
    prettyErrors: false,
    resolveKnownTags: false,
    logLevel: 'silent',
  });
  const documents = withoutStacks(() => {
    const read: Document.Parsed[] = [];
    for (const document of composer.compose(new Parser(lines.addNewLine).parse(text), true, text.length)) {
      read.push(document);
      if (read.length === 2) break;
    }
    return read;
  });
  const [document, second] = documents;
  if (document === undefined || (second === undefined && isEmpty(document))) {
    report(START, [], empty);
    return null;
  }
  if (second !== undefined) report(placeAt(lines, second.range[0]), [], SEVERAL);
  if (document.directives.yaml.explicit && document.directives.yaml.version !== '1.2') {
    report(START, [], { ...OTHER_VERSION, found: `%YAML ${document.directives.yaml.version}` });
  }
  for (const problem of [...document.errors, ...document.warnings].slice(0, MAX_SYNTAX_FINDINGS)) {
    reportSyntax(text, problem.pos[0], problem, lines, report);
  }
  return document;
}

/** A hostile file causes hundreds of thousands of errors. Most of the time would go into stack traces that nobody reads. */
function withoutStacks<T>(work: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function isEmpty(document: Document.Parsed): boolean {
  if (document.errors.length > 0) return false;
  return document.contents === null || isUnwritten(document.contents);
}

const EMPTY: Complaint = {
  message: 'the file is empty',
  found: 'nothing',
  expected: 'a policy',
  hint: 'Write one with `rollcall policy init`.',
};
const SEVERAL: Complaint = {
  message: 'the file has several YAML documents',
  found: 'a second document',
  expected: 'one',
  hint: 'Remove the line `---`, or keep one policy in each file.',
};
const OTHER_VERSION: Complaint = {
  message: 'the file asks for another YAML version',
  found: '',
  expected: 'YAML 1.2',
  hint: 'Remove the %YAML line: under 1.1 `off` would be false.',
};

function reportSyntax(
  text: string,
  offset: number,
  problem: { name: string; message: string },
  lines: LineCounter,
  report: Report,
): void {
  const rest = firstLine(text.slice(offset, offset + 200)).trim();
  const line = text.slice(Math.max(0, offset - 200), offset).replace(/^[\s\S]*\n/, '') + rest;
  // A webhook's URL is a secret, and an invalid line may contain one.
  const hidden = line.includes('://');
  const found = rest === '' ? 'the end of the line' : shown(rest);
  report(placeAt(lines, offset), [], {
    message: hidden ? 'not valid YAML' : `not valid YAML: ${cut(problem.message)}`,
    found: hidden ? 'a line with a URL, not shown here' : found,
    expected: 'valid YAML',
    hint: /[{}[\]:&*!|>%@`]/.test(line)
      ? 'Check the brackets and quotes here; text with { } [ ] : # & * ! | > % @ or a backtick belongs in quotes.'
      : 'Check the indentation and quotes here.',
  });
}

/** The parser's message quotes the text that it could not read, at any length. */
function cut(message: string): string {
  return message.length > LONGEST_PROBLEM ? `${message.slice(0, LONGEST_PROBLEM)}…` : message;
}

const LONGEST_PROBLEM = 300;

function firstLine(text: string): string {
  return text.slice(0, `${text}\n`.indexOf('\n'));
}
