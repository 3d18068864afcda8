/* Headers by which client and server agree on the form of an answer. */

/** Whether the client has this version already. @param given `If-None-Match`; @param etag with its quotes. Compares weakly [RFC 9110, 13.1.2] */
export function isKnown(given: string | null, etag: string): boolean {
  return given?.split(',').some((each) => strong(each.trim()) === strong(etag)) ?? false;
}

const strong = (etag: string): string => etag.replace(/^W\//, '');

/**
 * Whether the client names this encoding or media type as acceptable. Browsers accept Brotli only over TLS and from some loopback addresses.
 * @param given `Accept-Encoding` or `Accept`; @param name without parameters
 */
export function accepts(given: string | null, name: string): boolean {
  return given?.split(',').some((each) => isAccepted(each, name)) ?? false;
}

/** A weight of 0 means "not acceptable" [RFC 9110, 12.4.2]. */
function isAccepted(given: string, name: string): boolean {
  const [found, ...parameters] = given.split(';').map((each) => each.trim().toLowerCase());
  return found === name && !parameters.some((each) => /^q=0(\.0*)?$/.test(each));
}
