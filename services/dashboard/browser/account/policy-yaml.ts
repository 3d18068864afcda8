import {
  ENROLLMENT_IDS,
  type EnrollmentId,
  EVERY_ENROLLMENT,
} from '../../../../shared/domain/enrollment/kinds/index.ts';

interface Exemption {
  readonly accountId: string;
  readonly contested: readonly EnrollmentId[];
  /** `2026-12-31`. */
  readonly until: string;
  readonly reason: string;
}

/** An exemption to add to the policy file. Text is quoted as JSON, which YAML reads. */
export function exemptionYaml({ accountId, contested, until, reason }: Exemption): string {
  const every = contested.length === ENROLLMENT_IDS.length;
  const kinds = every ? [EVERY_ENROLLMENT] : contested;
  const items = kinds.map((kind) =>
    [
      `  - accounts: ["${accountId}"]`,
      `    enrollment: ${kind}`,
      `    until: ${until}`,
      `    reason: ${JSON.stringify(reason.trim() || 'why the other state is right')}`,
      '    owner: you@example.com',
    ].join('\n'),
  );
  return `exemptions:\n${items.join('\n')}\n`;
}
