import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { COMPLETE_ANSWERS } from '../../shared/adapters/aws/complete-answers.ts';
import type { ServiceModel } from './model.ts';
import { readClient } from './read-client.ts';
import { readSmithy, type SmithyService } from './read-smithy.ts';

const root = resolve(import.meta.dirname, '../..');
const MODELS = 'services/sandbox/models';

export interface UsedService {
  /** The name by which AWS signs requests, which is also the key in `COMPLETE_ANSWERS`. */
  readonly name: string;
  readonly sdkId: string | null;
  /** The package of the JavaScript SDK. Not every service has one. */
  readonly client: string;
  /** Names that botocore may have given to the service's folder. */
  readonly folders: readonly string[];
  /** What Rollcall was written against. An operation is in exactly one of these. */
  readonly baselines: readonly Baseline[];
}

export interface Baseline {
  readonly model: ServiceModel;
  /** An installed client is only compared with another client, because clients add members and errors of their own. */
  readonly from: 'sandbox' | 'client';
  readonly operations: readonly string[];
}

/**
 * The services and operations that Rollcall calls: the keys of `COMPLETE_ANSWERS`, without which a call is refused, and the sandbox's models. An
 * operation that the sandbox does not model is compared with the client that is installed.
 */
export function usedServices(): UsedService[] {
  const modelled = new Map(sandboxModels().map((model) => [model.signingName, model]));
  return Object.entries(COMPLETE_ANSWERS).map(([name, answers]) => {
    const model = modelled.get(name);
    const sdkId = model?.sdkId ?? null;
    const title = (sdkId ?? name).toLowerCase();
    const hyphenated = title.replaceAll(' ', '-');
    const client = `@aws-sdk/client-${hyphenated}`;
    const folders = [...new Set([hyphenated, name, title.replaceAll(' ', '')])];
    return { name, sdkId, client, folders, baselines: baselinesOf(Object.keys(answers), model, client) };
  });
}

function baselinesOf(called: readonly string[], model: SmithyService | undefined, client: string): Baseline[] {
  const inModel = model === undefined ? [] : [...model.operations.keys()];
  const others = called.filter((operation) => !inModel.includes(operation));
  const baselines: Baseline[] = model === undefined ? [] : [{ model, from: 'sandbox', operations: inModel }];
  if (others.length > 0) {
    const installed = readClient(installedClient(client) ?? missing(client));
    baselines.push({ model: installed, from: 'client', operations: others });
  }
  return baselines;
}

function missing(client: string): never {
  throw new Error(`${client} is not installed, and ${MODELS} lacks an operation that Rollcall calls`);
}

export function installedClient(client: string): string | null {
  const directory = join(root, 'node_modules', client);
  return existsSync(directory) ? directory : null;
}

function sandboxModels(): SmithyService[] {
  const files = readdirSync(join(root, MODELS)).filter((file) => file.endsWith('.json'));
  return files.map((file) => {
    const document: unknown = JSON.parse(readFileSync(join(root, MODELS, file), 'utf8'));
    return readSmithy(document, `${MODELS}/${file}`);
  });
}
