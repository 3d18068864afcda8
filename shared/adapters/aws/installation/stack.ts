import {
  type CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  type DescribeChangeSetCommandOutput,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  type Parameter,
  type Stack,
  type StackEvent,
} from '@aws-sdk/client-cloudformation';
import {
  type ChangeSet,
  InstallationError,
  type StackChange,
  type StackProgress,
  type StackRequest,
} from '../../../ports/installation.ts';
import type { Clock } from '../../../ports/system.ts';
import { calling, isMissing } from './errors.ts';

/** Time between two questions about a stack, ms. CloudFormation takes minutes. */
const POLL_MS = 5_000;
/** The change sets of this command have names of their own. */
const CHANGE_SET = 'rollcall-install';

export class StackDeployment {
  readonly #client: CloudFormationClient;
  readonly #clock: Clock;

  constructor(client: CloudFormationClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** @returns `null` if there is none */
  async describe(name: string): Promise<Stack | null> {
    return calling('cloudformation:DescribeStacks', async () => {
      try {
        const { Stacks = [] } = await this.#client.send(new DescribeStacksCommand({ StackName: name }));
        return Stacks[0] ?? null;
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    });
  }

  /** @returns whether a deployment updates the stack; `false`: it creates it. @throws InstallationError for a state from which the stack cannot be deployed */
  async ensureDeployable(name: string): Promise<boolean> {
    const status = (await this.describe(name))?.StackStatus;
    if (status === undefined || status === 'REVIEW_IN_PROGRESS') return false;
    const fail = (what: string, fix: string) =>
      new InstallationError(status, `the stack ${name} ${what}`, { hints: [`Its state is ${status}.`, `Fix: ${fix}`] });
    if (['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'CREATE_FAILED', 'DELETE_FAILED'].includes(status)) {
      throw fail(
        'was not created and cannot be updated',
        `aws cloudformation delete-stack --stack-name ${name}, then run this command again`,
      );
    }
    if (status === 'UPDATE_ROLLBACK_FAILED') {
      throw fail('is stuck after a failed update', `aws cloudformation continue-update-rollback --stack-name ${name}`);
    }
    if (status.endsWith('_IN_PROGRESS')) {
      throw fail(
        'is being changed by another operation',
        `aws cloudformation wait stack-update-complete --stack-name ${name}, then run this command again`,
      );
    }
    return true;
  }

  /** @returns `null` if nothing would change */
  async prepare({ name, templateUrl, parameters, parameterNames, tags }: StackRequest): Promise<ChangeSet | null> {
    const known = await this.describe(name);
    const kind = known === null || known.StackStatus === 'REVIEW_IN_PROGRESS' ? 'CREATE' : 'UPDATE';
    const kept = new Set(kind === 'UPDATE' ? known?.Parameters?.map(({ ParameterKey }) => ParameterKey) : []);
    const Parameters = parameterNames.flatMap((key): Parameter[] => {
      const value = parameters[key];
      if (value !== undefined) return [{ ParameterKey: key, ParameterValue: value }];
      return kept.has(key) ? [{ ParameterKey: key, UsePreviousValue: true }] : [];
    });
    const named = { StackName: name, ChangeSetName: CHANGE_SET };
    // What an interrupted installation left behind.
    await calling('cloudformation:DeleteChangeSet', () => this.#deleteChangeSet(named));
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const input = { ...named, ChangeSetType: kind, TemplateURL: templateUrl, Parameters, Tags } as const;
    const { Id } = await calling('cloudformation:CreateChangeSet', () =>
      this.#client.send(new CreateChangeSetCommand({ ...input, Capabilities: ['CAPABILITY_NAMED_IAM'] })),
    );
    const described = await this.#reviewed(named);
    if (described === null) {
      await calling('cloudformation:DeleteChangeSet', () => this.#deleteChangeSet(named));
      return null;
    }
    return { id: Id ?? CHANGE_SET, kind, changes: described };
  }

  /** Waits until CloudFormation has compared. @returns `null` if nothing would change */
  async #reviewed(named: {
    readonly StackName: string;
    readonly ChangeSetName: string;
  }): Promise<StackChange[] | null> {
    for (;;) {
      const found = await this.#changes(named);
      const { Status, StatusReason = '' } = found;
      // Empty if only outputs of the stack change.
      if (Status === 'CREATE_COMPLETE') return found.Changes.map(changeOf);
      if (Status === 'FAILED') {
        // CloudFormation has no code for this.
        if (/didn't contain changes|No updates are to be performed/.test(StatusReason)) return null;
        throw new InstallationError('ChangeSetFailed', 'CloudFormation refused the template', {
          hints: [StatusReason],
        });
      }
      await this.#clock.sleep(POLL_MS);
    }
  }

  /** All pages of a change set. */
  async #changes(named: { readonly StackName: string; readonly ChangeSetName: string }) {
    const ask = (NextToken?: string): Promise<DescribeChangeSetCommandOutput> =>
      calling('cloudformation:DescribeChangeSet', () =>
        this.#client.send(new DescribeChangeSetCommand({ ...named, ...(NextToken !== undefined && { NextToken }) })),
      );
    const first = await ask();
    const Changes = [...(first.Changes ?? [])];
    for (let next = first.NextToken; next !== undefined && next !== ''; ) {
      const page = await ask(next);
      Changes.push(...(page.Changes ?? []));
      next = page.NextToken;
    }
    return { ...first, Changes };
  }

  async #deleteChangeSet(named: { readonly StackName: string; readonly ChangeSetName: string }): Promise<void> {
    try {
      await this.#client.send(new DeleteChangeSetCommand(named));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** @throws InstallationError with the reason of the first failure */
  async execute(name: string, { changes }: ChangeSet, onProgress: (progress: StackProgress) => void): Promise<void> {
    const since = this.#clock.now();
    const execution = new ExecuteChangeSetCommand({ StackName: name, ChangeSetName: CHANGE_SET });
    await calling('cloudformation:ExecuteChangeSet', () => this.#client.send(execution));
    for (;;) {
      const status = (await this.describe(name))?.StackStatus ?? '';
      const events = await this.#eventsSince(name, since);
      const done = new Set(events.filter(isDone).map(({ LogicalResourceId }) => LogicalResourceId));
      onProgress({ done: done.size, total: changes.length });
      if (status === 'CREATE_COMPLETE' || status === 'UPDATE_COMPLETE') return;
      if (!status.endsWith('_IN_PROGRESS')) throw failure(name, status, events);
      await this.#clock.sleep(POLL_MS);
    }
  }

  /** Oldest first, of the resources and not of the stack itself. */
  async #eventsSince(name: string, since: number): Promise<readonly StackEvent[]> {
    const found: StackEvent[] = [];
    let next: string | undefined;
    do {
      const input = { StackName: name, ...(next !== undefined && { NextToken: next }) };
      const page = await calling('cloudformation:DescribeStackEvents', () =>
        this.#client.send(new DescribeStackEventsCommand(input)),
      );
      const events = page.StackEvents ?? [];
      found.push(...events);
      // Newest first. The clocks of this machine and of AWS may differ.
      const oldest = events.at(-1)?.Timestamp?.getTime() ?? 0;
      next = oldest < since - CLOCK_MS ? undefined : page.NextToken;
    } while (next !== undefined && next !== '');
    return found
      .filter(
        ({ Timestamp, ResourceType }) =>
          (Timestamp?.getTime() ?? 0) >= since - CLOCK_MS && ResourceType !== 'AWS::CloudFormation::Stack',
      )
      .reverse();
  }
}

/** Allowed difference between two clocks, ms. */
const CLOCK_MS = 60_000;

function isDone({ ResourceStatus }: StackEvent): boolean {
  return /^(CREATE|UPDATE|DELETE)_COMPLETE$/.test(ResourceStatus ?? '');
}

function changeOf({ ResourceChange }: NonNullable<DescribeChangeSetCommandOutput['Changes']>[number]): StackChange {
  const { Action = 'Modify', LogicalResourceId = '?', ResourceType = '?', Replacement } = ResourceChange ?? {};
  return { action: Action, resource: LogicalResourceId, type: ResourceType, replaced: Replacement === 'True' };
}

function failure(name: string, status: string, events: readonly StackEvent[]): InstallationError {
  const failed = events.find(
    ({ ResourceStatus, ResourceStatusReason = '' }) =>
      ResourceStatus?.endsWith('_FAILED') === true && !/cancelled/i.test(ResourceStatusReason),
  );
  const reason = failed?.ResourceStatusReason ?? 'CloudFormation gives no reason.';
  const where = failed === undefined ? [] : [`${failed.LogicalResourceId} (${failed.ResourceType}): ${reason}`];
  const again =
    status === 'ROLLBACK_COMPLETE'
      ? `aws cloudformation delete-stack --stack-name ${name}, then run this command again`
      : 'correct the cause, then run this command again';
  return new InstallationError(status, `the stack ${name} could not be deployed and was rolled back`, {
    hints: [...where, `Fix: ${adviceFor(reason) ?? again}`],
  });
}

/** CloudFormation reports causes in sentences only. */
function adviceFor(reason: string): string | null {
  if (/organizations access|trusted access|service.managed stack set/i.test(reason)) {
    return 'aws cloudformation activate-organizations-access, in the management account';
  }
  if (/Invalid principal in policy/i.test(reason))
    return 'install Rollcall in its own account first; the member roles trust its roles';
  if (/already exists/i.test(reason)) {
    return 'delete what an earlier installation left, or use another --stage; a retained table can be imported into the stack';
  }
  return null;
}
