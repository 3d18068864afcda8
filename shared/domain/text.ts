/*
 * Names, reasons, tags and messages come from outside and may contain characters that are invisible (zero width), reverse the direction of the text
 * around them, or control a terminal. Each of them is shown as its code point, so that different names also look different.
 */

/** Control, format and default-ignorable characters, line and paragraph separators, and halves of surrogate pairs. */
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

/** Escapes every unsafe character in JSON, or in another text that has JSON's escapes, without changing its meaning. */
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
