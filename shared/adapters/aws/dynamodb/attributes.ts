import { gunzipSync } from 'node:zlib';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { corrupt, storeError } from '../store-errors.ts';

export type Item = Record<string, AttributeValue>;

/** Maximum size of an item's content: DynamoDB's limit of 400 KB for an item, minus a margin for its other attributes. */
const MAX_BODY_BYTES = 390 * 1024;

export const text = (value: string): AttributeValue => ({ S: value });
export const number = (value: number): AttributeValue => ({ N: String(value) });
export const flag = (value: boolean): AttributeValue => ({ BOOL: value });
export const binary = (value: Uint8Array): AttributeValue => ({ B: value });

/** @throws StoreError `Corrupt` if the attribute is missing or of another type */
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

/** The text in the compressed attribute `zipped`. @throws StoreError `Corrupt` */
export function unzip(item: Item, what: string): string {
  const zipped = item['zipped']?.B ?? missing(item, 'zipped');
  try {
    return gunzipSync(zipped).toString();
  } catch {
    throw corrupt(place(item), `${what} cannot be unzipped`);
  }
}

/** @throws StoreError `TooLarge` if the content of an item has too many bytes */
export function refuseTooLarge(what: string, bytes: number, consequence: string): void {
  if (bytes <= MAX_BODY_BYTES) return;
  const found = `it has ${bytes} bytes; the maximum is ${MAX_BODY_BYTES}, because a DynamoDB item may have 400 KB`;
  throw storeError('TooLarge', what, found, consequence);
}

/** Parses the JSON text `body` of an item and validates it with `check`. @throws StoreError `Corrupt` */
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
function place(item: Item): string {
  return `item ${item['pk']?.S ?? '?'} / ${item['sk']?.S ?? '?'}`;
}

function missing(item: Item, name: string): never {
  throw corrupt(place(item), `attribute ${name} is missing or of another type`);
}
