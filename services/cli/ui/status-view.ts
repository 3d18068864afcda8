import type { StatusCounts } from '../../../shared/domain/enrollment/status.ts';
import type { Output } from './output.ts';

/** What the text of `status` depends on besides the status. */
export interface StatusView {
  readonly output: Pick<Output, 'style' | 'width' | 'program'>;
  readonly now: number;
  /** The policy file; `null`: none was found. */
  readonly policyFile: string | null;
  /** Whether to show queue and rate limit. */
  readonly verbose: boolean;
  /** Counts when `--watch` began. */
  readonly since?: StatusCounts;
}
