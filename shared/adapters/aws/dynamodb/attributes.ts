import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { corrupt } from '../store-errors.ts';

export type Item = Record<string, AttributeValue>;

/** DynamoDB's limit for one item (names and values), minus a margin for keys and index attributes. */
export const MAX_BODY_BYTES = 390 * 1024;

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });
export const flag = (value: boolean): AttributeValue => ({ BOOL: value });
export const binary = (value: Uint8Array): AttributeValue => ({ B: value });

/** Reads an attribute that this store wrote. @throws StoreError `Corrupt` if it is missing or of another type */
export function readText(item: Item, name: string): string {
  return item[name]?.S ?? missing(item, name);
}

export function readTextOrNull(item: Item, name: string): string | null {
  return item[name]?.S ?? null;
}

export function readNumber(item: Item, name: string): number {
  const value = Number(item[name]?.N ?? Number.NaN);
  return Number.isFinite(value) ? value : missing(item, name);
}

export function readBinary(item: Item, name: string): Uint8Array {
  return item[name]?.B ?? missing(item, name);
}

/** Parses a JSON attribute and validates it with `check`. @throws StoreError `Corrupt` */
export function parseJson<T>(item: Item, body: string, what: string, check: (value: unknown) => value is T): T {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw corrupt(place(item), `${what} is not JSON`);
  }
  if (!check(value)) throw corrupt(place(item), `${what} is not valid`);
  return value;
}

/** The key of an item, for error messages. */
export function place(item: Item): string {
  return `item ${item['pk']?.S ?? '?'} / ${item['sk']?.S ?? '?'}`;
}

function missing(item: Item, name: string): never {
  throw corrupt(place(item), `attribute ${name} is missing or of another type`);
}
