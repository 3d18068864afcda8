import { isManaged } from '../../../../domain/account/compliance.ts';
import { sha256Hex } from '../../../../domain/crypto.ts';
import type { OrganizationSnapshot } from '../../../../ports/cloud.ts';
import type { AsOf } from '../../audit/as-of.ts';
import type { KnownCheckpoint } from '../evidence-log.ts';
import type { PolicyInForce } from '../policies.ts';
import type { EvidenceRequest } from '../request.ts';
import { finding, groupsOf, inventory, objectives, observation, reviewedControls } from './accounts.ts';
import type { Scans } from './scans.ts';
import { lineOf, property } from './text.ts';
import { uuidOf } from './uuid.ts';

/** The version of OSCAL whose schema the document is valid against. */
const OSCAL_VERSION = '1.2.1';

export interface Assessment extends Pick<EvidenceRequest, 'since' | 'until' | 'organizationId' | 'version'> {
  /** At the end of the period. */
  readonly standings: AsOf['accounts'];
  readonly snapshot: OrganizationSnapshot | null;
  readonly policies: readonly PolicyInForce[];
  readonly scans: Scans;
  readonly checkpoint: KnownCheckpoint | null;
}

/** The compliance at the end of the period as NIST OSCAL assessment results. */
export function assessmentResults(assessment: Assessment) {
  const { since, until, organizationId, version, policies, checkpoint } = assessment;
  const scope = `${organizationId ?? 'unknown'} ${since} ${until}`;
  const groups = groupsOf(assessment.standings);
  return {
    'assessment-results': {
      uuid: uuidOf(scope, 'assessment-results'),
      metadata: {
        title: `Compliance of the enrollments of ${organizationId ?? 'an AWS Organization'} with its policy`,
        'last-modified': until,
        version: lineOf(version, 'unknown'),
        'oscal-version': OSCAL_VERSION,
        props: [property('organization', organizationId)],
      },
      'import-ap': {
        href: `#${uuidOf(scope, 'policies')}`,
        remarks: 'The policies in force are the plan of the assessment.',
      },
      'local-definitions': {
        ...(groups.length > 0 && { 'objectives-and-methods': objectives(groups) }),
        activities: [
          {
            uuid: activityUuid(scope),
            title: 'Scan',
            description:
              'Reads every account of the organization from AWS and compares its enrollments with the policy.',
          },
        ],
      },
      results: [resultOf(scope, assessment, groups)],
      'back-matter': { resources: resourcesOf(scope, policies, checkpoint) },
    },
  };
}

const activityUuid = (scope: string): string => uuidOf(scope, 'activity', 'scan');
const entriesUuid = (scope: string): string => uuidOf(scope, 'entries');

function resultOf(scope: string, assessment: Assessment, groups: ReturnType<typeof groupsOf>) {
  const { since, until, standings, snapshot, scans, checkpoint } = assessment;
  const failed = standings.filter(({ verdict }) => isManaged(verdict) && verdict !== 'Compliant');
  const task = uuidOf(scope, 'task', 'scan');
  const log = scans.entries(scope, task);
  return {
    uuid: uuidOf(scope, 'result'),
    title: 'Compliance at the end of the period',
    description:
      'Findings by policy rule and enrollment kind. Exempt, suspended and unmanaged accounts are not counted.',
    start: since,
    end: until,
    ...(checkpoint !== null && {
      props: [property('checkpoint-origin', checkpoint.origin), property('checkpoint-size', checkpoint.size)],
    }),
    'local-definitions': {
      ...(failed.length > 0 && { 'inventory-items': inventory(failed, snapshot) }),
      tasks: [
        {
          uuid: task,
          type: 'action',
          title: 'Scan',
          'associated-activities': [
            { 'activity-uuid': activityUuid(scope), subjects: [{ type: 'inventory-item', 'include-all': {} }] },
          ],
        },
      ],
    },
    'reviewed-controls': reviewedControls(groups),
    ...(log.length > 0 && { 'assessment-log': { entries: log } }),
    ...(failed.length > 0 && {
      observations: failed.map((standing) => observation(scope, standing, entriesUuid(scope))),
    }),
    ...(groups.length > 0 && { findings: groups.map((group) => finding(scope, group)) }),
  };
}

function resourcesOf(scope: string, policies: readonly PolicyInForce[], checkpoint: KnownCheckpoint | null) {
  const texts = policies.flatMap(({ entry, file, from, to }) => {
    const text = entry.detail?.policy?.text;
    if (file === null || text === undefined) return [];
    return [
      {
        uuid: uuidOf(scope, 'policy', entry.id),
        title: `Policy in force from ${from} to ${to}`,
        props: [property('policy-hash', entry.policyHash), property('entry', entry.id)],
        rlinks: [{ href: file, hashes: [{ algorithm: 'SHA-256', value: sha256Hex(text) }] }],
      },
    ];
  });
  const signed =
    checkpoint === null
      ? []
      : [
          {
            uuid: uuidOf(scope, 'checkpoint'),
            title: 'The signed checkpoint that covers the entries',
            rlinks: [{ href: 'log/checkpoint', hashes: [{ algorithm: 'SHA-256', value: sha256Hex(checkpoint.note) }] }],
          },
        ];
  return [
    { uuid: uuidOf(scope, 'policies'), title: 'The policies of the period', rlinks: [{ href: 'policies/index.json' }] },
    ...texts,
    { uuid: entriesUuid(scope), title: 'The entries of the audit log', rlinks: [{ href: 'entries.ndjson' }] },
    ...signed,
  ];
}
