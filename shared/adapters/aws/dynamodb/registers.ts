import { gunzipSync, gzipSync } from 'node:zlib';
import { mapParallel } from '../../../domain/map-parallel.ts';
import type { Register, Registers } from '../../../ports/registers.ts';
import type { NewId } from '../../../ports/system.ts';
import { corrupt, storeError } from '../store-errors.ts';
import {
  binary,
  flag,
  type Item,
  MAX_BODY_BYTES,
  parseJson,
  place,
  readBinary,
  readText,
  readTextOrNull,
  text,
} from './attributes.ts';
import { REGISTER_SHARDS, shardKey, shardKeys } from './schema.ts';
import type { Dynamo, Key } from './table-client.ts';

/**
 * Longer values are compressed: a plan of 20,000 changes, the most for an organization of 10,000 accounts, is 1.2 MB of text.
 */
const ZIP_FROM_BYTES = 16 * 1024;

/**
 * Registers in DynamoDB. A version is a new id, so it never repeats, and a writer whose answer was lost recognizes its own write by it.
 * A removal first writes a tombstone for the same reason: a writer that finds its own tombstone has removed the register. A tombstone that
 * a crash left behind counts as absent and is overwritten.
 */
export function dynamoRegisters(dynamo: Dynamo, newId: NewId): Registers {
  /** Puts the item if the register's version is `expected`. */
  const exchange = async (item: Item, expected: string | null): Promise<boolean> => {
    const condition =
      expected === null
        ? { expression: 'attribute_not_exists(pk) OR attribute_exists(removed)' }
        : {
            expression: 'version = :expected AND attribute_not_exists(removed)',
            values: { ':expected': text(expected) },
          };
    const { stored, retried } = await dynamo.put(item, condition);
    if (stored || !retried) return stored;
    const found = await dynamo.get({ pk: readText(item, 'pk'), sk: readText(item, 'sk') });
    return found !== null && readText(found, 'version') === readText(item, 'version');
  };

  return {
    async read(name) {
      if (name === '') return null;
      const item = await dynamo.get(registerKey(name));
      return item === null || isTombstone(item) ? null : toRegister(item);
    },
    async write(name, value, expected) {
      const body: string | undefined = JSON.stringify(value);
      if (body === undefined) throw new TypeError(`register ${name}: the value cannot be stored as JSON`);
      const version = newId();
      const item = { ...keyItem(name), version: text(version), ...bodyAttributes(name, body) };
      return (await exchange(item, expected)) ? version : null;
    },
    async remove(name, expected) {
      const version = newId();
      const tombstone = { ...keyItem(name), version: text(version), removed: flag(true) };
      if (!(await exchange(tombstone, expected))) return false;
      await dynamo.remove(registerKey(name), {
        expression: 'version = :version',
        values: { ':version': text(version) },
      });
      return true;
    },
    async list(prefix) {
      // The last character, which sorts after every name with the prefix.
      const range = prefix === '' ? {} : { range: { name: 'sk', from: prefix, to: `${prefix}\u{10ffff}` } };
      const found = await mapParallel(shardKeys('register', REGISTER_SHARDS), REGISTER_SHARDS, (pk) =>
        dynamo.queryAll({ hash: ['pk', pk], consistent: true, ...range }),
      );
      return found
        .flat()
        .filter((item) => !isTombstone(item) && readText(item, 'sk').startsWith(prefix))
        .map(toRegister)
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}

function registerKey(name: string): Key {
  return { pk: shardKey('register', name, REGISTER_SHARDS), sk: name };
}

const MAX_NAME_BYTES = 1_024;

function keyItem(name: string): Item {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > MAX_NAME_BYTES || !name.isWellFormed()) {
    const found = `its name has ${bytes} bytes or is not valid text; 1 to ${MAX_NAME_BYTES} bytes are allowed`;
    throw storeError('Rejected', `register ${name.slice(0, 100)}`, found, 'Nothing was stored.');
  }
  const { pk, sk } = registerKey(name);
  return { pk: text(pk), sk: text(sk) };
}

function bodyAttributes(name: string, body: string): Item {
  if (Buffer.byteLength(body) < ZIP_FROM_BYTES) return { body: text(body) };
  const zipped = gzipSync(body);
  if (zipped.length > MAX_BODY_BYTES) {
    const found = `its compressed value has ${zipped.length} bytes; a DynamoDB item may have 400 KB`;
    throw storeError('TooLarge', `register ${name}`, found, 'Nothing of it was stored.');
  }
  return { zipped: binary(zipped) };
}

function isTombstone(item: Item): boolean {
  return item['removed'] !== undefined;
}

function toRegister(item: Item): Register {
  const body = readTextOrNull(item, 'body') ?? unzip(item);
  const value = parseJson(item, body, 'a register', isAnything);
  return { name: readText(item, 'sk'), value, version: readText(item, 'version') };
}

function isAnything(_value: unknown): _value is unknown {
  return true;
}

function unzip(item: Item): string {
  const zipped = readBinary(item, 'zipped');
  try {
    return gunzipSync(zipped).toString();
  } catch {
    throw corrupt(place(item), 'the zipped value of a register cannot be unzipped');
  }
}
