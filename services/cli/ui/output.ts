import type { styleText } from 'node:util';
import type { Config } from '../../../shared/config/config.ts';
import { jsonAscii, visibleLines } from '../../../shared/domain/text.ts';
import { asTyped } from './suggested-commands.ts';
import { plainSymbols } from './symbols.ts';

/** The parts of a stream that are used here, so that tests can replace it. */
export interface Stream {
  write(text: string, done?: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once?(event: 'drain', listener: () => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export type Format = Parameters<typeof styleText>[0];
export type Style = (format: Format, text: string) => string;

/** A block that is redrawn at the bottom of the terminal; other text appears above it. */
export interface LiveBlock {
  clear(): void;
  redraw(): void;
}

/** The range of widths that texts are laid out for; a narrower terminal wraps lines, a wider one has a margin. */
const MIN_WIDTH = 40;
const MAX_WIDTH = 160;
/** The width that decides the layout of output that is not shown on a terminal; nothing is shortened to it. */
export const PIPED_WIDTH = 120;

/** Starts a terminal's escape sequence for colours and weights. */
const CSI = '\u001b[';

/** A placeholder for styled text. Splitting the result at it separates the escape sequences before the text from those after it. */
const SPLIT = '\0';

/** The start of a line that says what to do next: `Next: rollcall plan`. */
const NEXT = /^ *Next: \S/;

/** Codes of a full disk or an exhausted quota; there may be room again later. */
const DISK_FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Writes results to stdout and everything else to stderr. A failed write never stops the work: notes are dropped, and a lost result is
 * reported when the command has ended (`lostResult`). A closed pipe (`| head`) is not an error.
 */
export class Output {
  readonly json: boolean;
  /** The command by which the user runs Rollcall, for suggested commands. */
  readonly program: string;
  readonly #out: Stream;
  readonly #err: Stream;
  readonly #color: Config['color'];
  readonly #unicode: boolean;
  readonly #quiet: boolean;
  readonly #gone = new Set<Stream>();
  readonly #rewrite: (text: string) => void;
  #errRecovers = false;
  #lostResult: string | null = null;
  readonly #allGone = new AbortController();
  /**
   * Random numbers that Rollcall's own escape sequences contain until they are written. A name from AWS can contain an escape sequence, but
   * not these numbers, so every sequence without them is shown as text. `null` until the first styled text: most commands print none, and
   * loading the source of random numbers takes a tenth of a short command.
   */
  #mark: string | null = null;
  #live: LiveBlock | null = null;
  /** Ends the wait of `#drained` when stdout can no longer be written. */
  #outLost: () => void = () => undefined;

  /** @param rewrite writes a note after `err` failed on a full disk, from which Node's stream does not recover; throws while the disk is full. */
  constructor(
    out: Stream,
    err: Stream,
    config: Pick<Config, 'json' | 'color'> & Partial<Pick<Config, 'unicode' | 'quiet' | 'program'>>,
    rewrite: (text: string) => void = () => undefined,
  ) {
    this.#out = out;
    this.#err = err;
    this.#rewrite = rewrite;
    this.#color = config.color;
    this.#unicode = config.unicode ?? true;
    this.program = config.program ?? 'rollcall';
    this.#quiet = config.quiet ?? false;
    this.json = config.json;
    for (const stream of [out, err]) stream.on('error', (error) => this.#lose(stream, error));
  }

  /** Writes a line of the result. With `--quiet`, lines that say what to do next are left out. */
  print(text = ''): void {
    if (this.#quiet && NEXT.test(text)) return;
    this.#live?.clear();
    this.#write(this.#out, `${this.forPeople(text)}\n`);
    this.#live?.redraw();
  }

  /** Writes the result of a command: with `--json` the document, otherwise the lines. */
  result(document: unknown, lines: () => readonly string[]): void {
    if (this.json) this.document(document);
    else for (const line of lines()) this.print(line);
  }

  /** Writes the single document of `--json`. */
  document(value: unknown): void {
    this.#write(this.#out, `${jsonAscii(JSON.stringify(value, null, this.outIsTerminal ? 2 : undefined))}\n`);
  }

  /** Replaces the screen of the terminal with these lines; the last ones are left out if it has fewer rows. */
  repaint(lines: readonly string[]): void {
    const shown = lines.slice(0, Math.max(1, (this.#out.rows ?? lines.length + 1) - 1));
    const text = shown.map((line) => `${this.forPeople(line)}${CSI}K\n`).join('');
    this.#write(this.#out, `${CSI}H${text}${CSI}J`);
  }

  /** Writes a long result in pieces, at the reader's speed. Ends early if the reader closes the pipe. */
  async pour(pieces: AsyncIterable<string>): Promise<void> {
    for await (const piece of pieces) {
      if (this.#gone.has(this.#out)) return;
      // Only a terminal can be disturbed by control characters. A file or another program receives the data unchanged.
      const text = this.outIsTerminal ? visibleLines(piece.replaceAll('\r\n', '\n')) : piece;
      const taken = text === '' || this.#out.write(text) !== false;
      if (!taken && this.#out.once !== undefined) await this.#drained();
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#outLost = resolve;
      this.#out.once?.('drain', resolve);
    });
  }

  /** Writes a line to stderr: progress, logs, warnings, errors. */
  note(text: string): void {
    this.#live?.clear();
    this.#write(this.#err, `${this.forPeople(text)}\n`);
    this.#live?.redraw();
  }

  /** Writes a question to stderr; the answer follows on the same line. */
  ask(text: string): void {
    this.#write(this.#err, this.forPeople(text));
  }

  setLive(block: LiveBlock | null): void {
    this.#live = block;
  }

  /** Style for the result. Colour must never be the only signal. */
  readonly style: Style = (format, text) => this.#paint(this.#out, format, text);
  /** Style for stderr. */
  readonly noteStyle: Style = (format, text) => this.#paint(this.#err, format, text);

  get outIsTerminal(): boolean {
    return this.#out.isTTY === true;
  }

  get notesAreTerminal(): boolean {
    return this.#err.isTTY === true;
  }

  /** The width available to tables and sentences, 40 to 160; `null` if stdout is not a terminal: nothing is shortened or wrapped. */
  get width(): number | null {
    return this.outIsTerminal ? textWidth(this.#out.columns) : null;
  }

  /** Like `width`, for stderr. */
  get noteWidth(): number | null {
    return this.notesAreTerminal ? textWidth(this.#err.columns) : null;
  }

  /** The width that decides which parts a layout has: that of the terminal, otherwise 120. */
  get layoutWidth(): number {
    return this.width ?? PIPED_WIDTH;
  }

  /**
   * Whether a write to stdout has failed because its reader has closed the pipe. Nothing shows this before a write: Node emits no event and cannot poll the
   * writing end of a pipe, and Linux accepts a write of no bytes without checking for a reader.
   */
  get resultIsUnread(): boolean {
    return this.#gone.has(this.#out);
  }

  /** Aborts when stdout and stderr are both closed. */
  get unread(): AbortSignal {
    return this.#allGone.signal;
  }

  #paint(stream: Stream, format: Format, text: string): string {
    const on = this.#color === 'always' || (this.#color === 'auto' && stream.isTTY === true);
    if (!on) return text;
    this.#mark ??= randomMark();
    // Not a static import, which takes a tenth of `--help`.
    const { styleText } = process.getBuiltinModule('node:util');
    const [open = '', close = ''] = styleText(format, SPLIT, { validateStream: false })
      .replaceAll(CSI, `${CSI}${this.#mark};`)
      .split(SPLIT);
    return open + text + close;
  }

  /**
   * Shows characters that could disturb a terminal or mislead its reader as code points, and writes commands as the user has to type them. All text for
   * people passes through here.
   */
  forPeople(text: string): string {
    const typed = asTyped(text, this.program);
    const shown = this.#unicode ? typed : plainSymbols(typed);
    if (this.#mark === null) return visibleLines(shown);
    return shown.split(`${CSI}${this.#mark};`).map(visiblePart).join(CSI);
  }

  /** The error code of a failed write to stdout; `null`: the result was written, or its reader closed the pipe. */
  get lostResult(): string | null {
    return this.#lostResult;
  }

  /** Resolves when all output has been passed to the operating system, so that `lostResult` is final. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#gone.has(this.#out)) resolve();
      else {
        this.#out.write('', (error) => {
          if (error) this.#lose(this.#out, error);
          resolve();
        });
      }
    });
  }

  #write(stream: Stream, text: string): void {
    if (!this.#gone.has(stream)) stream.write(text);
    else if (stream === this.#err && this.#errRecovers) this.#retry(text);
  }

  #retry(text: string): void {
    try {
      this.#rewrite(text);
    } catch {
      // The disk is still full, and there is no other place to report this error.
    }
  }

  #lose(stream: Stream, error: Error): void {
    if (this.#gone.has(stream)) return;
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
    this.#gone.add(stream);
    if (stream === this.#err) this.#errRecovers = DISK_FULL.has(code);
    else {
      if (code !== 'EPIPE') this.#lostResult = code;
      this.#outLost();
    }
    if (this.#gone.size === 2) this.#allGone.abort();
  }
}

/** Node reports 0 columns for some pseudo terminals. */
function textWidth(columns: number | undefined): number {
  return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns || 80));
}

/** Four numbers of 4 digits, because `string-width` accepts no more digits. */
function randomMark(): string {
  const numbers = crypto.getRandomValues(new Uint32Array(4));
  return Array.from(numbers, (number) => 1_000 + (number % 9_000)).join(';');
}

/** `part` is the text between two marks: each part except the first starts with the end of one of Rollcall's own escape sequences, such as `31m`. */
function visiblePart(part: string, at: number): string {
  const own = at === 0 ? '' : (/^[\d;]*m/.exec(part)?.[0] ?? '');
  return own + visibleLines(part.slice(own.length));
}
