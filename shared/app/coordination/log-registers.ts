import { FOREVER, type RegisterInfo } from './document-info.ts';

/** The registers of the transparency log. */
export const LOG_REGISTERS = {
  log: {
    name: 'log',
    purpose: 'Name and size of the transparency log, and how far the audit log has been searched for new entries',
    owner: 'transparency/log-documents',
    lifetime: FOREVER,
    restore: 'backup',
  },
  logBundle: {
    name: 'log-bundle/',
    purpose: 'Chain, number and hash of 256 entries in the order of the transparency log',
    owner: 'transparency/log-documents',
    lifetime: `${FOREVER}; pruning an entry keeps them`,
    restore: 'backup',
  },
  logChain: {
    name: 'log-chain/',
    purpose: 'The last entry of a chain in the transparency log, and the latest places of its entries there',
    owner: 'transparency/log-documents',
    lifetime: FOREVER,
    restore: 'backup',
  },
  logRuns: {
    name: 'log-runs/',
    purpose: 'Earlier places of a chain’s entries in the transparency log',
    owner: 'transparency/log-documents',
    lifetime: FOREVER,
    restore: 'backup',
  },
  logTile: {
    name: 'log-tile/',
    purpose: 'Hashes of 256 full bundles, or of 256 full tiles of the level below',
    owner: 'transparency/log-documents',
    lifetime: FOREVER,
    restore: 'backup',
  },
  logCheckpoint: {
    name: 'log-checkpoint',
    purpose: 'The newest checkpoint of the transparency log, and what keeps the next one from being published',
    owner: 'transparency/checkpoint-state',
    lifetime: `${FOREVER}; the next checkpoint overwrites it`,
    restore: 'backup',
  },
  logWitness: {
    name: 'log-witness/',
    purpose: 'The newest checkpoint that a witness is known to have signed, and its last refusal',
    owner: 'transparency/checkpoint-state',
    lifetime: FOREVER,
    restore: 'dropped',
  },
} as const satisfies Record<string, RegisterInfo>;
