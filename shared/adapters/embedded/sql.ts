import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { StoreError } from '../../ports/store-error.ts';

export type Row = Readonly<Record<string, SQLOutputValue>>;
export type Parameters = readonly SQLInputValue[];

/** Runs statements on one connection; each text is compiled once. */
export class Sql {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, StatementSync>();
  readonly #lists = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
  }

  run(text: string, ...parameters: Parameters): number {
    return Number(this.#statement(text).run(...parameters).changes);
  }

  get(text: string, ...parameters: Parameters): Row | undefined {
    return this.#statement(text).get(...parameters);
  }

  all(text: string, ...parameters: Parameters): readonly Row[] {
    return this.#statement(text).all(...parameters);
  }

  /** Like {@link Sql.all}, but the keys of a row are the numbers of its columns, from 0. Without names, reading a row takes half the time. */
  lists(text: string, ...parameters: Parameters): readonly Row[] {
    const known = this.#lists.get(text);
    const statement = known ?? this.#db.prepare(text);
    if (known === undefined) {
      statement.setReturnArrays(true);
      this.#lists.set(text, statement);
    }
    return statement.all(...parameters);
  }

  /** Yields rows one by one. `break` or `return` stops early and resets the statement. */
  each(text: string, ...parameters: Parameters): Iterable<Row> {
    return this.#statement(text).iterate(...parameters);
  }

  /** @throws StoreError `Corrupt` if the column does not contain text */
  text(row: Row, column: string | number): string {
    const value = row[column];
    return typeof value === 'string' ? value : this.#unexpected(column, value, 'text');
  }

  /** @throws StoreError `Corrupt` if the column does not contain a number */
  number(row: Row, column: string): number {
    const value = row[column];
    return typeof value === 'number' ? value : this.#unexpected(column, value, 'a number');
  }

  /** The JSON in `column`, validated by `check`. @throws StoreError `Corrupt` */
  json<T>(row: Row, column: string, what: string, check: (value: unknown) => value is T): T {
    return this.parsed(this.text(row, column), what, check);
  }

  /** The JSON of a stored text, validated by `check`. @throws StoreError `Corrupt` */
  parsed<T>(text: string, what: string, check: (value: unknown) => value is T): T {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw this.#corrupt(`${what} is not JSON`, { cause });
    }
    if (!check(value)) throw this.#corrupt(`${what} does not have the expected form`);
    return value;
  }

  /** Checks that a column equals `said`, the same value in the row's JSON. @throws StoreError `Corrupt` */
  same(row: Row, column: string, said: string | number, what: string): void {
    if (row[column] !== said) throw this.#corrupt(`${what} is stored under a wrong ${column}`);
  }

  #statement(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  #unexpected(column: string | number, value: unknown, expected: string): never {
    throw this.#corrupt(`column ${column} holds ${value === null ? 'nothing' : typeof value}, expected ${expected}`);
  }

  #corrupt(found: string, options?: ErrorOptions): StoreError {
    const remedy = 'The file was changed from outside or is damaged. Restore a backup with `rollcall restore FILE`.';
    return new StoreError({ code: 'Corrupt', resource: this.#path, found, remedy }, options);
  }
}
