/** The process's environment, for who starts things: nothing else reads it. */
export function environment(): Record<string, string | undefined> {
  return process.env;
}
