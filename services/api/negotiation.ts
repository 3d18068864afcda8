/* Headers by which client and server agree on the form of an answer. */

/** Whether the client has this version already. @param given `If-None-Match`; @param etag with its quotes. Compares weakly [RFC 9110, 13.1.2] */
export function isKnown(given: string | null, etag: string): boolean {
  return given?.split(',').some((each) => strong(each.trim()) === strong(etag)) ?? false;
}

const strong = (etag: string): string => etag.replace(/^W\//, '');

/** Whether the client accepts this encoding. Browsers accept Brotli only over TLS and from some loopback addresses. @param given `Accept-Encoding` */
export function accepts(given: string | null, encoding: string): boolean {
  return given?.split(',').some((each) => isAccepted(each, encoding)) ?? false;
}

/** A weight of 0 means "not acceptable" [RFC 9110, 12.4.2]. */
function isAccepted(given: string, encoding: string): boolean {
  const [name, ...parameters] = given.split(';').map((each) => each.trim().toLowerCase());
  return name === encoding && !parameters.some((each) => /^q=0(\.0*)?$/.test(each));
}
