async function* flatten<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const page of pages) yield* page;
}

/**
 * Merges sorted streams into one. Reads the first pages of all streams in parallel, further pages on demand.
 * @param before whether `a` comes before `b`
 */
export async function* merge<T>(
  streams: readonly AsyncIterable<readonly T[]>[],
  before: (a: T, b: T) => boolean,
): AsyncGenerator<T> {
  const iterators = streams.map((stream) => flatten(stream));
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()));
    for (;;) {
      let first = -1;
      let next: T | undefined;
      for (const [index, head] of heads.entries()) {
        if (head.done === true) continue;
        if (first === -1 || (next !== undefined && before(head.value, next))) {
          first = index;
          next = head.value;
        }
      }
      const iterator = iterators[first];
      if (iterator === undefined || next === undefined) return;
      yield next;
      heads[first] = await iterator.next();
    }
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return(undefined)));
  }
}
