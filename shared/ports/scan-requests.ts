/** Requests that the scanner starts or continues a scan. When `send` returns, the request is durable; it may be delivered twice. */
export interface ScanRequests {
  send(request: { readonly runId: string }): Promise<void>;
}
