/** A field of a message: a varint or fixed-width number, or the bytes of a string or a message. */
type Value = bigint | Buffer;

/** The fields of one message by number, in the order of the wire. https://protobuf.dev/programming-guides/encoding/ */
export type Fields = ReadonlyMap<number, readonly Value[]>;

/** Decodes one protobuf message without its schema. @throws RangeError for bytes that are not protobuf */
export function decode(bytes: Buffer): Fields {
  const fields = new Map<number, Value[]>();
  const reader = new Reader(bytes);
  while (!reader.ended) {
    const tag = Number(reader.varint());
    const number = tag >> 3;
    fields.set(number, [...(fields.get(number) ?? []), reader.value(tag & 7)]);
  }
  return fields;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#take(1).readUInt8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  value(wireType: number): Value {
    if (wireType === 0) return this.varint();
    if (wireType === 1) return this.#take(8).readBigUInt64LE();
    if (wireType === 2) return this.#take(Number(this.varint()));
    if (wireType === 5) return BigInt(this.#take(4).readUInt32LE());
    throw new RangeError(`unknown wire type ${wireType}`);
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('a field ends after its message');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

export function messagesOf(fields: Fields, number: number): readonly Fields[] {
  return bytesOf(fields, number).map(decode);
}

export function bytesOf(fields: Fields, number: number): readonly Buffer[] {
  return (fields.get(number) ?? []).filter((value) => typeof value !== 'bigint');
}

export function textOf(fields: Fields, number: number): string {
  return bytesOf(fields, number)[0]?.toString() ?? '';
}

export function numberOf(fields: Fields, number: number): bigint {
  const [value] = fields.get(number) ?? [];
  return typeof value === 'bigint' ? value : 0n;
}
