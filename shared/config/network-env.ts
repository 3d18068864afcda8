import { X509Certificate } from 'node:crypto';
import { type Network, noProxyForNode, type ProxyVariables } from '../domain/network.ts';
import type { Environment } from './config.ts';
import { ConfigError } from './config-error.ts';
import { readBytes } from './read-bytes.ts';

/** Maximum size of a certificate bundle. A bundle of all public authorities has a few hundred kilobytes. */
const MAX_BUNDLE_BYTES = 8 * 1024 * 1024;
/** The first Node.js version whose HTTP agents support proxies. */
const LEAST_NODE = [24, 5] as const;

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (lower-case names take precedence, as in curl), `AWS_CA_BUNDLE`, and `AWS_DEFAULT_REGION`.
 * @throws ConfigError, which never shows a secret; FileError
 */
export function readNetworkEnv(env: Environment, nodeVersion: string = process.versions.node): Network {
  // Deployment templates set a variable to an empty text instead of leaving it out.
  const given = (name: string): string | null => env[name] || null;
  const bundle = given('AWS_CA_BUNDLE');
  return Object.freeze({
    proxy: proxyOf(given, nodeVersion),
    ca: bundle === null ? null : readBundle(bundle),
    region: given('AWS_REGION') === null ? given('AWS_DEFAULT_REGION') : null,
  });
}

type Given = (name: string) => string | null;

function proxyOf(given: Given, nodeVersion: string): ProxyVariables | null {
  const http = proxyUrl(given, 'HTTP_PROXY');
  const https = proxyUrl(given, 'HTTPS_PROXY');
  if (http === null && https === null) return null;
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])) {
    const needed = LEAST_NODE.join('.');
    throw new ConfigError('Environment', `A proxy needs Node.js ${needed} or newer; this is ${nodeVersion}.`);
  }
  const none = given('no_proxy') ?? given('NO_PROXY');
  return {
    ...(http !== null && { HTTP_PROXY: http }),
    ...(https !== null && { HTTPS_PROXY: https }),
    ...(none !== null && { NO_PROXY: noProxyForNode(none) }),
  };
}

function proxyUrl(given: Given, name: 'HTTP_PROXY' | 'HTTPS_PROXY'): string | null {
  const lower = name.toLowerCase();
  const variable = given(lower) === null ? name : lower;
  const text = given(variable)?.trim() ?? '';
  if (text === '') return null;
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '') return url.href;
  // The message does not show the value, which may contain a password.
  const example = 'http://proxy.example.com:3128';
  throw new ConfigError('Environment', `${variable} is not the URL of an HTTP proxy. Example: ${example}`);
}

function readBundle(path: string): string {
  const text = new TextDecoder().decode(readBytes(path, { maxBytes: MAX_BUNDLE_BYTES }));
  const certificates =
    text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
  const [first] = certificates;
  if (first === undefined || !isCertificate(first)) {
    throw new ConfigError('Environment', `AWS_CA_BUNDLE: ${path} contains no certificate in PEM format.`);
  }
  return certificates.join('\n');
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false; // OpenSSL throws for an invalid certificate
  }
}
