/** AWS refused a step of the installation, or the stack is in a state from which it cannot be updated. */
export class InstallationError extends Error {
  override readonly name = 'InstallationError';
  readonly code: string;
  /** Facts, then the fix, each on a line of its own. */
  readonly hints: readonly string[];

  /** @param message what happened, without a full stop */
  constructor(
    code: string,
    message: string,
    { hints = [], ...options }: ErrorOptions & { hints?: readonly string[] } = {},
  ) {
    super(message, options);
    this.code = code;
    this.hints = hints;
  }
}

/** Who installs, and for which organization. */
export interface InstallationAccount {
  readonly accountId: string;
  readonly arn: string;
  /** `aws`, `aws-cn`, … */
  readonly partition: string;
  readonly region: string;
  readonly organizationId: string;
  readonly managementAccountId: string;
  /** The organization's root; `null`: the account may not list it. */
  readonly rootId: string | null;
}

export interface StackRequest {
  readonly name: string;
  readonly templateUrl: string;
  /** Values by parameter. In an update, a parameter that has none keeps its value. */
  readonly parameters: Readonly<Record<string, string>>;
  /** All parameters of the template. */
  readonly parameterNames: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

export interface StackChange {
  readonly action: string;
  readonly resource: string;
  readonly type: string;
  readonly replaced: boolean;
}

/** What a deployment would change. It is only a proposal until it is executed. */
export interface ChangeSet {
  readonly id: string;
  readonly kind: 'CREATE' | 'UPDATE';
  readonly changes: readonly StackChange[];
}

export interface StackProgress {
  readonly done: number;
  readonly total: number;
}

export interface Installation {
  account(): Promise<InstallationAccount>;
  /** Creates the bucket if it does not exist, without public access. */
  ensureBucket(name: string): Promise<void>;
  /** Uploads an object unless one with this key exists. Keys contain a hash of the content. @returns whether it was uploaded */
  upload(bucket: string, key: string, content: Uint8Array): Promise<boolean>;
  /** The address of an object for CloudFormation. */
  urlOf(bucket: string, key: string): string;
  /** Throws if the stack is in a state from which it cannot be deployed. @returns whether a deployment updates the stack; `false`: it creates it */
  ensureDeployable(name: string): Promise<boolean>;
  /** @returns `null` if nothing would change */
  prepare(request: StackRequest): Promise<ChangeSet | null>;
  /** Throws with the reason of the first failure. */
  execute(name: string, changeSet: ChangeSet, onProgress: (progress: StackProgress) => void): Promise<void>;
  outputs(name: string): Promise<Readonly<Record<string, string>>>;
  close(): void;
}
