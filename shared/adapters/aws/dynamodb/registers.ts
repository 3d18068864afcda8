import { gzipSync } from 'node:zlib';
import { mapParallel } from '../../../domain/map-parallel.ts';
import type { Register, Registers } from '../../../ports/registers.ts';
import type { NewId } from '../../../ports/system.ts';
import { isAnything } from '../../stored-shapes.ts';
import { storeError } from '../store-errors.ts';
import {
  binary,
  flag,
  type Item,
  parseJson,
  readText,
  readTextOrNull,
  refuseTooLarge,
  text,
  unzip,
} from './attributes.ts';
import { keyOf } from './ledger-query.ts';
import { REGISTER_SHARDS, shardKey, shardKeys } from './schema.ts';
import { type Dynamo, type Key, keyItem } from './table-client.ts';

/** Longer values are compressed. The largest, a plan of 20,000 changes, has 1.2 MB, which is more than an item may have. */
const ZIP_FROM_BYTES = 16 * 1024;

/**
 * Registers in DynamoDB. Each write has a new, unique version, by which a writer whose answer was lost recognizes its own write. For the same reason a
 * removal first writes a tombstone with a version. A tombstone left behind by a crash counts as a missing register.
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
    const found = await dynamo.get(keyOf(item));
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
      const item = { ...checkedKey(name), version: text(version), ...bodyAttributes(name, body) };
      return (await exchange(item, expected)) ? version : null;
    },
    async remove(name, expected) {
      const version = newId();
      const tombstone = { ...checkedKey(name), version: text(version), removed: flag(true) };
      if (!(await exchange(tombstone, expected))) return false;
      const values = { ':version': text(version) };
      await dynamo.remove(registerKey(name), { expression: 'version = :version', values });
      return true;
    },
    async list(prefix) {
      // U+10FFFF is the last character, so every name with the prefix sorts before it.
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

function checkedKey(name: string): Item {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > MAX_NAME_BYTES || !name.isWellFormed()) {
    const found = `its name has ${bytes} bytes or is not valid text; 1 to ${MAX_NAME_BYTES} bytes are allowed`;
    throw storeError('Rejected', `register ${name.slice(0, 100)}`, found, 'Nothing was stored.');
  }
  return keyItem(registerKey(name));
}

function bodyAttributes(name: string, body: string): Item {
  if (Buffer.byteLength(body) < ZIP_FROM_BYTES) return { body: text(body) };
  const zipped = gzipSync(body);
  refuseTooLarge(`the compressed value of register ${name}`, zipped.length, 'Nothing of it was stored.');
  return { zipped: binary(zipped) };
}

function isTombstone(item: Item): boolean {
  return item['removed'] !== undefined;
}

function toRegister(item: Item): Register {
  const body = readTextOrNull(item, 'body') ?? unzip(item, 'a register');
  const value = parseJson(item, body, 'a register', isAnything);
  return { name: readText(item, 'sk'), value, version: readText(item, 'version') };
}
