import { Configurations } from './configurations.ts';
import { ControlError } from './drift.ts';
import { Enrollments } from './enrollments.ts';
import { EventLog } from './event-log.ts';
import { Faults } from './faults.ts';
import { generateOrganization } from './generate.ts';
import { IdempotentAnswers } from './idempotency.ts';
import type { World } from './operation.ts';
import type { EngineOptions } from './options.ts';
import type { Random } from './random.ts';
import type { Sessions } from './sessions.ts';
import { Tallies } from './tallies.ts';
import { TokenBucket } from './throttle.ts';
import { Trail } from './trail.ts';

/** Everything that a reset restores. */
export type State = {
  world: World;
  faults: Faults;
  answers: IdempotentAnswers;
  tallies: Tallies;
  orgBucket: TokenBucket | null;
  trail: Trail;
};

/** The initial state. Throws ControlError for a configuration of an OU that does not exist. */
export function startState(options: EngineOptions, now: number, random: Random, sessions: Sessions): State {
  const { memberRole, externalId, accountShape, coveredCode, rate, orgRate } = options;
  const organization = generateOrganization({ ...options, now });
  const tokenSalt = `${organization.id}/${options.seed}`;
  const configurations = new Configurations(options.configurationDelayMs, tokenSalt);
  const enrollments = new Enrollments(organization, configurations, options.pendingMs, now);
  for (const { ou, organizationRuleMode } of options.configurations) {
    const unit = organization.unitAt(ou);
    if (unit === undefined) throw new ControlError(`The organization has no OU ${ou}`);
    enrollments.preset(unit, organizationRuleMode);
  }
  return {
    world: {
      organization,
      enrollments,
      hub: { includesMembers: false, trustedAccess: false },
      sessions,
      events: new EventLog(),
      random,
      settings: { memberRole, externalId, accountShape, coveredCode, tokenSalt },
    },
    faults: new Faults(options.faults, random),
    answers: new IdempotentAnswers(),
    tallies: new Tallies(rate),
    orgBucket: orgRate === undefined ? null : new TokenBucket(orgRate, now),
    trail: new Trail(organization.partition),
  };
}
