import { inflateSync } from 'fflate';
import { EvidenceError } from './finding.ts';

/*
 * Reads only what `rollcall evidence` writes (APPNOTE 6.3.10): files one after another, their directory, its end, and nothing in between. In other ZIP
 * files, programs disagree about the content: they trust either the headers of the files or the directory, and overwrite a file by one of the same name.
 */

/** More than a page can hold in memory. */
const MOST_BYTES = 4_000_000_000;
/** Each entry has hashes, which cannot be compressed. */
const MOST_RATIO = 100;
const FREE_BYTES = 64_000_000;
/** Deflate cannot compress further. */
const DEFLATE_RATIO = 1_032;

const END_BYTES = 22;
const DIRECTORY_BYTES = 46;
const LOCAL_BYTES = 30;
const DESCRIPTOR_BYTES = 16;
const HAS_DESCRIPTOR = 0x8;
const IS_UTF8 = 0x800;
const DEFLATED = 8;

interface Member {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

/** The files by their names. @throws EvidenceError */
export function unzip(zip: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.length);
  let members: readonly Member[];
  try {
    members = directoryOf(zip, view);
  } catch (error) {
    throw error instanceof EvidenceError ? error : new EvidenceError(problemOf(zip));
  }
  checkSizes(members, zip.length);
  return new Map(members.map((member) => [member.name, contentOf(zip, member)]));
}

/** @throws RangeError if it is not complete */
function directoryOf(zip: Uint8Array, view: DataView): readonly Member[] {
  const end = zip.length - END_BYTES;
  const [count, bytes, start] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  if (view.getUint32(end, true) !== 0x06054b50 || start + bytes !== end) throw new RangeError('there is no directory');
  const members: Member[] = [];
  const names = new Set<string>();
  let [at, position] = [start, 0];
  for (let n = 0; n < count; n += 1) {
    const member = memberAt(zip, view, at);
    const { name } = member;
    if (names.has(name)) throw new EvidenceError(`The ZIP file has two files with the name ${JSON.stringify(name)}.`);
    names.add(name);
    if (member.offset !== position) throw repacked(`there is something else before ${JSON.stringify(name)}`);
    position = checkLocal(zip, view, member);
    members.push(member);
    at += DIRECTORY_BYTES + view.getUint16(at + 28, true);
  }
  if (at !== end || position !== start) throw repacked('there is something else behind its files');
  return members;
}

function memberAt(zip: Uint8Array, view: DataView, at: number): Member {
  if (view.getUint32(at, true) !== 0x02014b50) throw new RangeError('the directory is damaged');
  const flags = view.getUint16(at + 8, true);
  const name = nameAt(zip, at + DIRECTORY_BYTES, view.getUint16(at + 28, true));
  const method = view.getUint16(at + 10, true);
  const hasMore = view.getUint32(at + 30, true) !== 0;
  if (hasMore || (flags & ~(HAS_DESCRIPTOR | IS_UTF8)) !== 0 || (method !== 0 && method !== DEFLATED))
    throw repacked(`${JSON.stringify(name)} has another form`);
  return {
    name,
    flags,
    method,
    crc: view.getUint32(at + 16, true),
    packed: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    offset: view.getUint32(at + 42, true),
  };
}

/** Checks that the header in front of the file says the same as the directory. @returns where the next file begins */
function checkLocal(
  zip: Uint8Array,
  view: DataView,
  { name, flags, method, crc, packed, size, offset }: Member,
): number {
  const length = view.getUint16(offset + 26, true);
  const data = offset + LOCAL_BYTES + length;
  const hasDescriptor = (flags & HAS_DESCRIPTOR) !== 0;
  const sizesAt = hasDescriptor ? data + packed + 4 : offset + 14;
  const isSame =
    view.getUint32(offset, true) === 0x04034b50 &&
    view.getUint16(offset + 6, true) === flags &&
    view.getUint16(offset + 8, true) === method &&
    view.getUint16(offset + 28, true) === 0 &&
    nameAt(zip, offset + LOCAL_BYTES, length) === name &&
    view.getUint32(sizesAt, true) === crc &&
    view.getUint32(sizesAt + 4, true) === packed &&
    view.getUint32(sizesAt + 8, true) === size;
  if (!isSame) throw repacked(`the header of ${JSON.stringify(name)} differs from the directory`);
  return data + packed + (hasDescriptor ? DESCRIPTOR_BYTES : 0);
}

function nameAt(zip: Uint8Array, at: number, length: number): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(zip.subarray(at, at + length));
}

function checkSizes(members: readonly Member[], bytes: number): void {
  let total = 0;
  for (const { name, packed, size } of members) {
    if (size > packed * DEFLATE_RATIO + DEFLATE_RATIO)
      throw new EvidenceError(
        `${JSON.stringify(name)} states a size that its content cannot have: the ZIP file was edited.`,
      );
    total += size;
  }
  if (total > MOST_BYTES) throw new EvidenceError('The ZIP file is too large for this page (4 GB when unpacked).');
  if (total > bytes * MOST_RATIO + FREE_BYTES) {
    throw new EvidenceError(
      `The ZIP file would be more than ${MOST_RATIO} times as large when unpacked: rollcall evidence does not write such a file.`,
    );
  }
}

function contentOf(zip: Uint8Array, { name, method, packed, size, offset }: Member): Uint8Array {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.length);
  const start = offset + LOCAL_BYTES + view.getUint16(offset + 26, true);
  const data = zip.subarray(start, start + packed);
  const content = method === DEFLATED ? inflated(data, size) : data;
  if (content?.length !== size)
    throw new EvidenceError(`${JSON.stringify(name)} is damaged in the ZIP file. Ask for it again.`);
  return content;
}

/** Longer content is cut off behind one more byte, which shows that it is longer. */
function inflated(data: Uint8Array, size: number): Uint8Array | null {
  try {
    return inflateSync(data, { out: new Uint8Array(size + 1) });
  } catch (error) {
    if (error instanceof RangeError) throw new EvidenceError('There is not enough memory to unpack the ZIP file.');
    return null;
  }
}

function repacked(where: string): EvidenceError {
  return new EvidenceError(
    `The ZIP file is not as rollcall evidence writes it: ${where}. It was edited, or another program packed it again.`,
  );
}

/** The first bytes of every ZIP file. */
const FILE = [0x50, 0x4b, 0x03, 0x04];

function problemOf(zip: Uint8Array): string {
  if (!FILE.every((byte, at) => zip[at] === byte))
    return 'This is not a ZIP file. Choose the file that rollcall evidence wrote.';
  return 'The ZIP file is damaged or truncated. Ask for it again.';
}
