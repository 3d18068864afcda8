/** Splits items, in order, into batches of at most `count` items and `bytes` bytes. A larger item becomes a batch of its own. */
export function packed<T>(
  items: readonly T[],
  most: { readonly count: number; readonly bytes: number },
  bytesOf: (item: T) => number,
): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let room = 0;
  for (const item of items) {
    const bytes = bytesOf(item);
    const last = batches.at(-1);
    if (last === undefined || last.length === most.count || bytes > room) {
      batches.push([item]);
      room = most.bytes - bytes;
    } else {
      last.push(item);
      room -= bytes;
    }
  }
  return batches;
}

/** Splits items, in order, into parts of at most `size`. */
export function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size));
  return chunks;
}
