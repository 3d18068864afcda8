/** The process's environment. Only entry points call this. */
export function environment(): Record<string, string | undefined> {
  return process.env;
}
