import { readFileSync } from 'node:fs';
import { policyHash } from '../../shared/domain/policy/index.ts';
import { accepted } from '../unit/domain/policy/support.ts';

/** The hashes of the example policies under version 0.1.0. Never renew them: plans and approvals are stored under the hash of their policy. */
export const POLICY_HASHES = [
  ['small', '0624406e94402940919882ca16c5d84560a32d52c8f5ad313fe0d74140ca1cbf'],
  ['large', '1729346750006d8d1336cfd841041ba8bcd488177d9071022fb471c555537436'],
  ['regulated', '6196f9537f6e8e4d5925820d815789176541de5a843f346f0e8c3ced9176c5f0'],
] as const;

export function hashOfExample(name: string): string {
  return policyHash(accepted(readFileSync(new URL(`../../examples/${name}.yaml`, import.meta.url), 'utf8')).policy);
}
