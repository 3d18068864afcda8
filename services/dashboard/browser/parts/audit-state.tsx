import type { MarkName, Tone } from '../status-looks.ts';
import type { Verification } from '../types.ts';
import { Pill } from './icon.tsx';

interface Looks {
  readonly tone: Tone;
  readonly mark: MarkName;
  /** In a sentence about the audit log. */
  readonly word: string;
}

/** How each result of a verification looks. */
export const AUDIT_LOOKS: Readonly<Record<Verification['state'], Looks>> = {
  intact: { tone: 'compliant', mark: 'compliant', word: 'intact' },
  damaged: { tone: 'attention', mark: 'attention', word: 'damaged' },
  notVerified: { tone: 'quiet', mark: 'unmanaged', word: 'not verified' },
};

/** `Intact`: the result of the last verification of the audit log. */
export function AuditPill({ verification: { state } }: { readonly verification: Verification }) {
  const { tone, mark, word } = AUDIT_LOOKS[state];
  return <Pill tone={tone} mark={mark} text={word.charAt(0).toUpperCase() + word.slice(1)} />;
}
