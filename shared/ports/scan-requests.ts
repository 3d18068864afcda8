/**
 * Requests that the scanner starts or continues a scan. When `send` returns, the request is durable and will be delivered at least once.
 * The scanner ignores a repeated request and a request for a run that has ended.
 */
export interface ScanRequests {
  send(request: { readonly runId: string }): Promise<void>;
}
