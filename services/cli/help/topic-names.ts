/** Topics of `rollcall help TOPIC`. Separate from their texts, which are loaded only when they are shown. */
export const TOPIC_NAMES = ['statuses', 'exit-codes', 'environment', 'files'] as const;
export type TopicName = (typeof TOPIC_NAMES)[number];
