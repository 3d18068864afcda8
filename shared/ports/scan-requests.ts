/**
 * Asks for a scan to be done, or gone on with, by whoever does scans. Durable and delivered at least once when it returns; who
 * receives a request twice, or for a run that is over, does nothing.
 */
export interface ScanRequests {
  send(request: { readonly runId: string }): Promise<void>;
}
