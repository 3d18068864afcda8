/** Unreadable messages: foreign ones, other versions, wrong shapes. */
export const BODIES = [
  '',
  'not JSON',
  '{"v":2}',
  '{"v":1,"kind":"account"}',
  '[]',
  '{"v":1,"kind":"batch","accountIds":{}}',
] as const;

export const RUBBISH: ReadonlySet<string> = new Set(BODIES);
