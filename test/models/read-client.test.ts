import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMPLETE_ANSWERS } from '../../shared/adapters/aws/complete-answers.ts';
import { compareModels } from './compare.ts';
import { readClient } from './read-client.ts';
import { installedClient, usedServices } from './used.ts';

/** Declarations of a client, as the SDK's generator writes them. */
const MODELS = `
/** export interface Commented { Trap: string | undefined; } */
export interface ListThingsRequest {
    /** <p>The <code>Status</code>: only; these.</p> */
    status?: Status | undefined;
    maxResults: number | undefined;
}
export interface Thing {
    id: string | undefined;
    value?: Value | undefined;
    tags?: Partial<Record<Status, string[]>> | undefined;
    at?: Date | undefined;
}
export interface ListThingsResponse {
    things?: Thing[] | undefined;
}
export type Value = Value.SMember | Value.LMember | Value.$UnknownMember;
export declare namespace Value {
    interface SMember {
        S: string;
        L?: never;
        $unknown?: never;
    }
    interface LMember {
        S?: never;
        L: Value[];
        $unknown?: never;
    }
    interface $UnknownMember {
        S?: never;
        L?: never;
        $unknown: [string, any];
    }
    interface Visitor<T> {
        S: (value: string) => T;
        L: (value: Value[]) => T;
        _: (name: string, value: any) => T;
    }
}
`;

const ENUMS = `
export declare const Status: {
    readonly ACTIVE: "Active";
    readonly IN_ACTIVE: "Inactive";
};
export type Status = (typeof Status)[keyof typeof Status];
`;

const command = (name: string, input: string, output: string): string => `
/**
 * @throws {@link ThrottlingException} (client fault)
 * @throws {@link InternalServerException} (server fault)
 *
 * @throws {@link ExampleServiceException}
 * <p>Base exception class for all service exceptions from Example service.</p>
 */
export declare class ${name}Command extends ${name}Command_base {
    protected static __types: {
        api: {
            input: ${input};
            output: ${output};
        };
    };
}
`;

describe('reading a client of the JavaScript SDK', () => {
  let directory: string;
  const write = (path: string, text: string): void => writeFileSync(join(directory, path), text);
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'rollcall-client-'));
    for (const folder of ['models', 'commands']) mkdirSync(join(directory, 'dist-types', folder), { recursive: true });
    write('package.json', '{"name":"@aws-sdk/client-example","version":"3.1.0"}');
    write('dist-types/models/models_0.d.ts', MODELS);
    write('dist-types/models/enums.d.ts', ENUMS);
    write(
      'dist-types/commands/ListThingsCommand.d.ts',
      command('ListThings', 'ListThingsRequest', 'ListThingsResponse'),
    );
    write('dist-types/commands/PingCommand.d.ts', command('Ping', '{}', '{}'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('reads members, types, enum values and errors', () => {
    const { source, hasConstraints, operations } = readClient(directory);
    expect({ source, hasConstraints, operations: [...operations.keys()].sort() }).toEqual({
      source: '@aws-sdk/client-example 3.1.0',
      hasConstraints: false,
      operations: ['ListThings', 'Ping'],
    });
    const list = operations.get('ListThings')?.();
    const shown = [...(list?.members ?? [])].map(
      ([path, { type, required, values }]) =>
        `${path}: ${type}${required ? '!' : ''}${values === null ? '' : ` ${values}`}`,
    );
    expect(shown).toEqual([
      'input.status: string Active,Inactive',
      'input.maxResults: number!',
      'output.things: list',
      'output.things[]: structure',
      'output.things[].id: string!',
      'output.things[].value: union',
      'output.things[].value.S: string',
      'output.things[].value.L: list',
      'output.things[].value.L[]: union',
      'output.things[].tags: map',
      'output.things[].tags{}: list',
      'output.things[].tags{}[]: string',
      'output.things[].at: timestamp',
    ]);
    expect([...(list?.errors ?? [])]).toEqual(['ThrottlingException', 'InternalServerException']);
    expect(operations.get('Ping')?.().members.size).toBe(0);
  });

  it('fails for declarations that it does not understand, instead of comparing half of them', () => {
    write(
      'dist-types/models/models_0.d.ts',
      MODELS.replace('tags?: Partial<Record<Status, string[]>>', 'tags?: Unheard<string>'),
    );
    expect(readClient(directory).operations.get('ListThings')).toThrow('Unheard<string>');
    write('dist-types/commands/PingCommand.d.ts', 'export declare class PingCommand extends PingCommand_base {}');
    expect(() => readClient(directory)).toThrow('a command in an unknown way');
  });
});

describe('what Rollcall uses', () => {
  it('covers every operation that the code may call', () => {
    const used = new Map(
      usedServices().map(({ name, baselines }) => [name, baselines.flatMap(({ operations }) => operations)]),
    );
    for (const [service, answers] of Object.entries(COMPLETE_ANSWERS))
      expect(used.get(service)).toEqual(expect.arrayContaining(Object.keys(answers)));
  });

  it('can be read in full from the installed clients', () => {
    const read = usedServices().flatMap(({ client, baselines }) => {
      const directory = installedClient(client);
      if (directory === null) return [];
      const installed = readClient(directory);
      return baselines.map(({ model, operations }) => compareModels(model, installed, operations));
    });
    expect(read.length).toBeGreaterThan(5);
    expect(read.flat().filter(({ change }) => change === 'operation removed')).toEqual([]);
  });
});
