import { inspectAws } from '../../adapters/aws/doctor.ts';
import { systemMonotonic } from '../../adapters/system/clock.ts';
import { clockCheck } from '../../app/doctor/clock-check.ts';
import type { StoreDoctor } from '../../app/doctor/store-checks.ts';
import type { Environment } from '../../config/config.ts';
import { readDoctorEnv } from '../../config/doctor-env.ts';
import { skipped } from '../../domain/check-result.ts';
import { openAwsStore, sqsSettings } from './open-aws.ts';
import type { StoreDoctorOptions } from './profile.ts';
import { unusedChecks } from './unused-checks.ts';

export function awsDoctor(env: Environment, { clock, network }: StoreDoctorOptions): StoreDoctor {
  const { table, queueUrl, dlqUrl, eventBus, sqsEndpoint } = readDoctorEnv(env);
  const places = { table, queueUrl, dlqUrl, bus: null, ...sqsSettings({ sqsEndpoint }) };
  const aws = inspectAws({ ...places, network, monotonic: systemMonotonic });
  const clocks = { clock, monotonic: systemMonotonic, store: aws.time };
  return {
    checks: [
      ...unusedChecks('embedded', ['dataDirectory', 'database', 'writeAheadLog', 'disk']),
      { id: 'table', needs: ['region'], run: () => aws.table() },
      { id: 'clock', needs: ['table'], run: () => clockCheck(clocks) },
      { id: 'queue', needs: ['region'], run: () => aws.queue() },
    ],
    needs: ['table', 'queue'],
    blocked: eventBus === null ? skipped('notReached', 'ROLLCALL_EVENT_BUS is not set') : null,
    async open() {
      if (table === null || queueUrl === null || dlqUrl === null || eventBus === null) {
        const variables = 'ROLLCALL_TABLE, ROLLCALL_QUEUE_URL, ROLLCALL_DLQ_URL and ROLLCALL_EVENT_BUS';
        throw new Error(`${variables} name the store; one of them is not set`);
      }
      return openAwsStore({ env: { table, queueUrl, dlqUrl, eventBus, sqsEndpoint }, clock, network });
    },
    // No snapshot is read, because the table itself may be broken.
    snapshot: null,
    eventBus,
    close: () => aws.close(),
  };
}
