/*
 * Names, reasons, tags and messages come from outside and may hold characters that draw nothing (zero width), change the direction of what
 * stands around them, or command a terminal. People see each of them by its number, so that names which differ also look different.
 */

/** Control, format and default-ignorable characters, line and paragraph separators, and halves of surrogate pairs. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** In one line: `<U+202E>` in the place of each unsafe character. */
export function visible(text: string): string {
  return text.replace(UNSAFE, byNumber);
}

/** The same for a text of several lines. */
export function visibleLines(text: string): string {
  return text.replace(UNSAFE, (character) => (character === '\n' ? character : byNumber(character)));
}

/** In one line, line breaks and other control characters as spaces. */
export function oneLine(text: string): string {
  return visible(text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' '));
}

/** JSON, or another text with JSON's escapes, that means the same without an unsafe character in it. */
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
