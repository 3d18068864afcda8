import { randomInt } from 'node:crypto';
import { styleText } from 'node:util';
import type { Config } from '../../../shared/config/config.ts';
import { jsonAscii, visibleLines } from '../../../shared/domain/text.ts';

/** The part of a stream that is used here: what a test can stand in for. */
export interface Stream {
  write(text: string, done?: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once?(event: 'drain', listener: () => void): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Format = Parameters<typeof styleText>[0];
export type Style = (format: Format, text: string) => string;

/** A block that is redrawn at the bottom of the terminal; text that is noted meanwhile goes above it. */
export interface LiveBlock {
  clear(): void;
  redraw(): void;
}

/** Begins a terminal's escape sequence for colours and weights. */
const CSI = '\u001b[';

/** Placeholder that separates the opening sequences of a style from its closing ones. */
const SPLIT = '\0';

/** Codes of a full disk or an exhausted quota; there may be room again later. */
const DISK_FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Writes results to stdout and everything else to stderr. Neither stops the work: notes that cannot be written are dropped, and a result that cannot
 * be written is reported when the command has ended (`lostResult`). A closed pipe (`| head`) is not an error.
 */
export class Output {
  readonly json: boolean;
  readonly #out: Stream;
  readonly #err: Stream;
  readonly #color: Config['color'];
  readonly #gone = new Set<Stream>();
  /** Writes to a file after its disk was full, because Node's stream does not recover from that. Throws while the disk is still full. */
  readonly #rewrite: (text: string) => void;
  #errRecovers = false;
  #lostResult: string | null = null;
  readonly #allGone = new AbortController();
  /**
   * Parameters that mark the escape sequences of Rollcall's own styles until they are written. An account name can contain the sequence for
   * red, but not this number, so all other sequences are made visible. Groups of 4 digits, because `string-width` accepts no longer ones.
   */
  readonly #mark = Array.from({ length: 4 }, () => randomInt(1_000, 10_000)).join(';');
  #live: LiveBlock | null = null;
  /** Ends the wait for a reader that is gone. */
  #outLost: () => void = () => undefined;

  /** @param rewrite writes a note in place of `err` after that failed on a full disk; throws if it cannot. */
  constructor(
    out: Stream,
    err: Stream,
    config: Pick<Config, 'json' | 'color'>,
    rewrite: (text: string) => void = () => undefined,
  ) {
    this.#out = out;
    this.#err = err;
    this.#rewrite = rewrite;
    this.#color = config.color;
    this.json = config.json;
    for (const stream of [out, err]) stream.on('error', (error) => this.#lose(stream, error));
  }

  /** A line of the result. */
  print(text = ''): void {
    this.#live?.clear();
    this.#write(this.#out, `${this.forPeople(text)}\n`);
    this.#live?.redraw();
  }

  /** The one document of `--json`. */
  document(value: unknown): void {
    this.#write(this.#out, `${jsonAscii(JSON.stringify(value, null, this.outIsTerminal ? 2 : undefined))}\n`);
  }

  /** A long result in pieces: the next is asked for when the reader has taken the last. Ends early if the reader is gone. */
  async pour(pieces: AsyncIterable<string>): Promise<void> {
    for await (const piece of pieces) {
      if (this.#gone.has(this.#out)) return;
      // A file or another program gets the data as they are.
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

  /** A line beside the result: progress, logs, warnings, errors. */
  note(text: string): void {
    this.#live?.clear();
    this.#write(this.#err, `${this.forPeople(text)}\n`);
    this.#live?.redraw();
  }

  setLive(block: LiveBlock | null): void {
    this.#live = block;
  }

  /** Style for the result; colour is never the only sign of anything. */
  readonly style: Style = (format, text) => this.#paint(this.#out, format, text);
  /** Style for what goes to stderr. */
  readonly noteStyle: Style = (format, text) => this.#paint(this.#err, format, text);

  get outIsTerminal(): boolean {
    return this.#out.isTTY === true;
  }

  get notesAreTerminal(): boolean {
    return this.#err.isTTY === true;
  }

  /** The width that tables have to fit; `null` if the result is not read on a terminal. */
  get width(): number | null {
    return this.outIsTerminal ? (this.#out.columns ?? 80) : null;
  }

  /** Aborts when nobody reads any more. */
  get unread(): AbortSignal {
    return this.#allGone.signal;
  }

  #paint(stream: Stream, format: Format, text: string): string {
    const on = this.#color === 'always' || (this.#color === 'auto' && stream.isTTY === true);
    if (!on) return text;
    const [open = '', close = ''] = styleText(format, SPLIT, { validateStream: false })
      .replaceAll(CSI, `${CSI}${this.#mark};`)
      .split(SPLIT);
    return open + text + close;
  }

  /** All text for people passes through here: characters that could disturb a terminal or mislead its reader are shown as code points. */
  forPeople(text: string): string {
    return text.split(`${CSI}${this.#mark};`).map(visiblePart).join(CSI);
  }

  /** The error code for which part of the result is missing on stdout; `null`: it was written, or its reader closed the pipe. */
  get lostResult(): string | null {
    return this.#lostResult;
  }

  /** Waits until everything printed has been handed to the system, so that `lostResult` is final. */
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
    else if (stream === this.#err && this.#errRecovers) this.#tryAgain(text);
  }

  #tryAgain(text: string): void {
    try {
      this.#rewrite(text);
    } catch {
      // The disk is still full, and there is no other place to report it.
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

/** Each part but the first begins with the rest of a marked sequence. */
function visiblePart(part: string, at: number): string {
  const own = at === 0 ? '' : (/^[\d;]*m/.exec(part)?.[0] ?? '');
  return own + visibleLines(part.slice(own.length));
}
