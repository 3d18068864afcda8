import pLimit from 'p-limit';

/**
 * Runs `work` on all items, at most `concurrency` at a time; returns the results in the order of `items`.
 * After the first error no further item starts. The error is thrown once the items in progress have ended.
 */
export async function mapParallel<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const lanes = pLimit({ concurrency, rejectOnClear: true });
  const errors: unknown[] = [];
  const outcomes = await Promise.allSettled(
    items.map((item) =>
      lanes(async () => {
        try {
          return await work(item);
        } catch (error) {
          errors.push(error);
          lanes.clearQueue();
          throw error;
        }
      }),
    ),
  );
  if (errors.length > 0) throw errors[0];
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}
