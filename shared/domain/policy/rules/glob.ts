/**
 * Compiles a glob: `*` matches any text, `?` one character. Between stars the leftmost match is always sufficient, so there is no
 * backtracking, and the time is at most the length of the name times the length of the glob.
 */
export function compileGlob(glob: string): (name: string) => boolean {
  // Code points instead of UTF-16 units, so that `?` matches one whole character.
  const parts = glob.split('*').map((part) => [...part]);
  const [head = [], ...rest] = parts;
  const tail = rest.pop();
  if (tail === undefined) return glob.includes('?') ? (name) => equals([...name], head) : (name) => name === glob;
  // A prefix and suffix without `?` are compared in place, which decides nearly every account without copying its name.
  const prefix = head.includes('?') ? '' : head.join('');
  const suffix = tail.includes('?') ? '' : tail.join('');
  const isAllSettled = rest.length === 0 && !head.includes('?') && !tail.includes('?');
  return (name) => {
    if (!name.startsWith(prefix) || !name.endsWith(suffix)) return false;
    if (isAllSettled) return name.length >= prefix.length + suffix.length;
    const text = [...name];
    if (text.length < head.length + tail.length || !fits(text, 0, head)) return false;
    const end = text.length - tail.length;
    if (!fits(text, end, tail)) return false;
    let at = head.length;
    for (const part of rest) {
      while (at + part.length <= end && !fits(text, at, part)) at++;
      if (at + part.length > end) return false;
      at += part.length;
    }
    return true;
  };
}

function equals(text: readonly string[], part: readonly string[]): boolean {
  return text.length === part.length && fits(text, 0, part);
}

function fits(text: readonly string[], at: number, part: readonly string[]): boolean {
  for (let i = 0; i < part.length; i++) {
    if (part[i] !== '?' && part[i] !== text[at + i]) return false;
  }
  return at + part.length <= text.length;
}
