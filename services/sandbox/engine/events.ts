import { type Call, Failure, type Operations, text } from './operation.ts';
import { isRecord } from './smithy.ts';
import type { Output } from './types.ts';

const MAX_ENTRIES_BYTES = 262_144;
/** EventBridge's PutEvents. Each entry succeeds or fails independently; only an invalid request is an error. */
export const eventOperations: Operations = { PutEvents: { run: putEvents } };

function putEvents(call: Call): Output | Failure {
  const entries: readonly unknown[] = Array.isArray(call.input['Entries']) ? call.input['Entries'] : [];
  const size = entries.reduce((sum: number, entry) => sum + entryBytes(entry), 0);
  if (size > MAX_ENTRIES_BYTES)
    return new Failure('ValidationException', 'Total size of the entries in the request is over the limit.');
  const results = entries.map((entry) => putEntry(call, entry));
  return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
}

function putEntry(call: Call, entry: unknown): Output {
  if (!isRecord(entry)) return refused('InvalidArgument', 'Entry is not an object.');
  for (const name of ['Source', 'DetailType', 'Detail'])
    if ((text(entry, name) ?? '') === '')
      return refused('InvalidArgument', `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);
  const detail = parseJson(text(entry, 'Detail') ?? '');
  if (!isRecord(detail)) return refused('MalformedDetail', 'Detail is malformed.');
  const id = eventId(call);
  const sent = entry['Time'];
  const Time = sent instanceof Date ? sent : new Date(typeof sent === 'number' ? sent * 1000 : call.now);
  call.world.events.append({ ...entry, EventId: id, Account: call.caller.id, Time });
  return { EventId: id };
}

function refused(ErrorCode: string, ErrorMessage: string): Output {
  return { ErrorCode, ErrorMessage };
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

/** UUID-shaped, from the sandbox's own random source. */
function eventId({ world }: Call): string {
  const hex = (length: number): string => {
    let digits = '';
    while (digits.length < length) digits += Math.floor(world.random() * 16).toString(16);
    return digits;
  };
  return `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
}

/** EventBridge's definition of an entry's size: 14 bytes for a time, plus the UTF-8 bytes of the strings. */
function entryBytes(entry: unknown): number {
  if (!isRecord(entry)) return 0;
  const resources: unknown = entry['Resources'];
  const listed = Array.isArray(resources) ? resources : [];
  const parts = [text(entry, 'Source'), text(entry, 'DetailType'), text(entry, 'Detail'), ...listed];
  const time = entry['Time'] === undefined ? 0 : 14;
  return parts.reduce((sum: number, part) => sum + (typeof part === 'string' ? Buffer.byteLength(part) : 0), time);
}
