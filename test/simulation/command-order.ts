import * as z from 'zod';
import { CONTROLS } from '../../shared/app/guardrails/controls.ts';

const notice = z.object({ id: z.string(), type: z.string(), reason: z.string(), selector: z.string().nullable() });
const controls = z.object({ notices: z.array(notice) });

/**
 * The order in which the store received the operators' commands. Each command is stored together with a notice, the latest last. The checker learns of a
 * command when it begins or ends, so of two concurrent commands it cannot tell by itself which one is in force.
 */
export class CommandOrder {
  readonly #seen = new Set<string>();
  /** By selector, or `null` for the kill switch: whether the latest command ended a suspension or a halt. */
  readonly #ended = new Map<string | null, boolean>();

  /** A register was stored. */
  stored(name: string, value: unknown): void {
    if (name !== CONTROLS.name) return;
    for (const { id, type, reason, selector } of controls.parse(value).notices) {
      if (this.#seen.has(id)) continue;
      this.#seen.add(id);
      // A suspension that expires is not a command. In a history, no suspension has an end.
      this.#ended.set(selector, reason === 'operator' && (type === 'AccountResumed' || type === 'EnforcementResumed'));
    }
  }

  /** Whether the latest command about this selector, or `null` for the kill switch, is the one that ends the suspension or the halt. */
  hasEnded(selector: string | null): boolean {
    return this.#ended.get(selector) === true;
  }
}
