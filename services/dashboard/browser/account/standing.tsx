import { actorName } from '../../../../shared/domain/actor.ts';
import { explainStatus, type StatusExplanation } from '../../../../shared/domain/enrollment/explain-status.ts';
import { sourceText } from '../../../../shared/domain/enrollment/governing-configuration.ts';
import { type EnrollmentId, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { Copy } from '../parts/copy.tsx';
import { StatusMark } from '../parts/icon.tsx';
import { Fact } from '../parts/small.tsx';
import { Age, now, Sentence, Time } from '../parts/time.tsx';
import { timeText, zoneName } from '../time-text.ts';
import type { Account, Condition } from '../types.ts';
import { RuleLink } from './why.tsx';

interface StandingProps {
  readonly enrollment: EnrollmentId;
  readonly found: Account;
}

/** One enrollment: what AWS reports, what the policy requires, who changed it, why it has its status and what to do. */
export function Standing({ enrollment, found }: StandingProps) {
  const condition = found.enrollments[enrollment];
  return (
    <div>
      <div class="title">
        <h2>{TITLES[enrollment]}</h2>
        {condition !== null && <StatusMark status={condition.complianceStatus} />}
      </div>
      {condition === null ? (
        <p class="muted">No status recorded yet.</p>
      ) : (
        <Facts enrollment={enrollment} condition={condition} found={found} />
      )}
    </div>
  );
}

interface FactsProps extends StandingProps {
  readonly condition: Condition;
}

function Facts({ enrollment, condition, found }: FactsProps) {
  const { status, ruleMode, desired, desiredRuleMode, rule, since, driftSince, notBefore, attempts, changedBy } =
    condition;
  const wanted =
    desired === null && desiredRuleMode === null
      ? 'not set by the policy'
      : [desired, desiredRuleMode].filter((part) => part !== null).join(', ');
  return (
    <>
      <dl class="facts">
        <Fact term="Observed">
          <Differing value={status} wanted={desired} />
          {ruleMode !== null && (
            <>
              {', '}
              <Differing value={ruleMode} wanted={desiredRuleMode} />
            </>
          )}
        </Fact>
        <Fact term="Desired">{wanted}</Fact>
        <Fact term="Rule">{rule === null ? '–' : <RuleLink rule={rule} />}</Fact>
        <Fact term="Rule mode">{sourceText(condition, found.accountId, found.account)}</Fact>
        <Fact term={driftSince === null ? 'Since' : 'Drift since'}>
          <Time iso={driftSince ?? since} zoned />, <Age iso={driftSince ?? since} phrase />
        </Fact>
        <Fact term="Changed by">
          {driftSince !== null &&
            (changedBy === undefined ? (
              <span class="muted">unknown: no CloudTrail event names the caller</span>
            ) : (
              <span title={`${changedBy.actor} with ${changedBy.operation}`}>
                {actorName(changedBy.actor)} <Copy text={changedBy.actor} what="Actor" />
              </span>
            ))}
        </Fact>
        <Fact term="Next attempt">{notBefore !== null && <Time iso={notBefore} zoned />}</Fact>
        <Fact term="Attempts">{attempts > 0 && attempts}</Fact>
      </dl>
      <Explained explanation={explanationOf(enrollment, condition, found)} />
    </>
  );
}

function Differing({ value, wanted }: { readonly value: string | null; readonly wanted: string | null }) {
  if (value === null) return <>not known</>;
  return wanted !== null && wanted !== value ? <b class="differs">{value}</b> : <span>{value}</span>;
}

function explanationOf(enrollment: EnrollmentId, condition: Condition, found: Account): StatusExplanation | null {
  const { complianceStatus, reason, notBefore, ruleMode, ruleModeSource, setBacks, contested } = condition;
  // The Settle panel explains it.
  if (contested !== undefined || complianceStatus === 'Compliant') return null;
  const seen = {
    enrollment,
    status: complianceStatus,
    reason,
    accountId: found.accountId,
    notBefore,
    ruleMode,
    ruleModeSource,
    branch: found.account,
    ...(setBacks !== undefined && { setBacks }),
  };
  return explainStatus(seen, (iso) => `${timeText(Date.parse(iso), now.value)} ${zoneName()}`);
}

function Explained({ explanation }: { readonly explanation: StatusExplanation | null }) {
  if (explanation === null) return null;
  const { cause, todo, steps } = explanation;
  return (
    <div class="explained">
      <p>
        <Sentence text={cause} /> <span class="muted">{todo}</span>
      </p>
      {steps.length > 0 && (
        <ul>
          {steps.map(({ what, effect }) => (
            <li key={what}>
              {what.startsWith('rollcall ') ? (
                <>
                  <code>{what}</code> <Copy text={what} what="Command" />
                </>
              ) : (
                what
              )}
              {effect !== undefined && <span class="muted"> {effect}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
