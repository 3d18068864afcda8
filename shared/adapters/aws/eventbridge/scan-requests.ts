import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Network } from '../../../domain/network.ts';
import type { ScanRequests } from '../../../ports/scan-requests.ts';
import { clientSettings } from '../client-settings.ts';
import { withCompleteAnswers } from '../complete-answers.ts';
import { storeError } from '../store-errors.ts';
import { createStoreRetry, type RetryOptions } from '../store-retry.ts';

/** The event source of Rollcall's own requests. It differs from that of ledger entries, so that subscribers do not receive them. */
const INTERNAL_SOURCE = 'rollcall.internal';
const SCAN_REQUESTED = 'Scan Requested';

const CONNECT_MS = 2_000;
const REQUEST_MS = 10_000;

/** Sends scan requests as events on Rollcall's own bus; a rule delivers them to the scanner. @throws StoreError */
export function eventBridgeScanRequests(
  bus: string,
  options: RetryOptions & { readonly network?: Network },
): ScanRequests & { close(): void } {
  const client = withCompleteAnswers(
    'events',
    new EventBridgeClient(clientSettings(CONNECT_MS, REQUEST_MS, options.network)),
  );
  const retry = createStoreRetry(options);
  const resource = `event bus ${bus}`;
  return {
    async send({ runId }) {
      const entry = { EventBusName: bus, Source: INTERNAL_SOURCE, DetailType: SCAN_REQUESTED };
      const command = new PutEventsCommand({ Entries: [{ ...entry, Detail: JSON.stringify({ runId }) }] });
      await retry.run(resource, 'PutEvents', async () => {
        const { Entries: [only] = [] } = await client.send(command);
        if (only?.EventId !== undefined) return;
        // PutEvents answers 200 even if it refuses an entry [API_PutEvents].
        const found = `PutEvents refused a request to scan (${only?.ErrorCode ?? 'no reason given'})`;
        throw storeError('Unavailable', resource, found, 'The next tick sends it again.');
      });
    },
    close: () => client.destroy(),
  };
}
