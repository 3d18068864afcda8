/**
 * Characters that are invisible, reverse the direction of the text around them, or control a terminal. Text from outside may
 * contain them; each is shown as its code point, so that different names also look different.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** One line, with `<U+202E>` in place of each unsafe character. */
export function visible(text: string): string {
  return text.replace(UNSAFE, byNumber);
}

/** Like {@link visible}, but keeps line breaks. */
export function visibleLines(text: string): string {
  return text.replace(UNSAFE, (character) => (character === '\n' ? character : byNumber(character)));
}

/** One line, with spaces in place of line breaks and other control characters. */
export function oneLine(text: string): string {
  return visible(text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' '));
}

/** Escapes every unsafe character in JSON without changing its meaning. */
export function jsonAscii(json: string): string {
  return json.replace(UNSAFE, (character) => {
    if (character === '\n') return character;
    const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
  });
}

function byNumber(character: string): string {
  return `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;
}
