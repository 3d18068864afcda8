import { join } from 'node:path';
import { inject } from 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The output directory of `bundle-children.ts`. */
    children: string;
  }
}

/** A program that tests start with Node. */
export const childFile = (name: 'cli' | 'world-child' | 'aws-worker' | 'aws-functions'): string =>
  join(inject('children'), `${name}.js`);
