import * as z from 'zod';

const sizes = z.object({
  ROLLCALL_BENCH_ACCOUNTS: z.coerce.number().int().min(20).optional(),
  ROLLCALL_BENCH_ROUNDS: z.coerce.number().int().min(1).optional(),
});

/** `ROLLCALL_BENCH_ACCOUNTS`, to try a bench on a small organization. @throws ZodError if it is not a number. */
export function accountsOr(usual: number): number {
  return sizes.parse(process.env).ROLLCALL_BENCH_ACCOUNTS ?? usual;
}

/** `ROLLCALL_BENCH_ROUNDS`: the repetitions of a bench that takes minutes. @throws ZodError if it is not a number. */
export function roundsOr(usual: number): number {
  return sizes.parse(process.env).ROLLCALL_BENCH_ROUNDS ?? usual;
}
