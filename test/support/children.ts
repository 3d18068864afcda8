import { join } from 'node:path';
import { inject } from 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The output directory of `bundle-children.ts`. */
    children: string;
  }
}

/** A program that tests start with Node. */
export const childFile = (
  name: 'cli' | 'sandbox' | 'embedded-child' | 'limiter-worker' | 'world-child' | 'aws-worker' | 'aws-functions',
): string => join(inject('children'), `${name}.js`);

/** The environment of these programs. They share compiled code, which halves their start time. */
export const CHILD_ENV = { NODE_COMPILE_CACHE: join(inject('children'), 'compile-cache') } as const;
