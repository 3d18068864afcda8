import { expect, test } from 'vitest';
import { actorName } from '../../../shared/domain/actor.ts';

test.each([
  ['arn:aws:iam::111122223333:user/ops/amara.diallo', 'amara.diallo'],
  ['arn:aws:iam::111122223333:role/automation/rule-mode-sync', 'rule-mode-sync'],
  ['arn:aws:sts::111122223333:assumed-role/Admin/mei.tanaka', 'mei.tanaka'],
  ['arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_1a2b/dana@example.com', 'dana@example.com'],
  ['arn:aws:sts::111122223333:assumed-role/cost-cleanup/1733061732', 'cost-cleanup'],
  ['arn:aws:sts::111122223333:assumed-role/cost-cleanup/botocore-session-1733061732', 'cost-cleanup'],
  ['arn:aws:sts::111122223333:assumed-role/worker/i-0abc1234', 'worker'],
  ['arn:aws-cn:iam::111122223333:root', 'root of 111122223333'],
  ['cost-optimization-hub.amazonaws.com', 'cost-optimization-hub.amazonaws.com'],
  ['token:anna', 'anna'],
  ['user:ops', 'ops'],
])('%s is shown as %s', (actor, name) => expect(actorName(actor)).toBe(name));
