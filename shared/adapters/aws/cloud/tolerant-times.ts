import { JsonShapeDeserializer2 } from '@smithy/core/protocols';
import { NormalizedSchema } from '@smithy/core/schema';

/** The settings of the SDK's own deserializer for awsJson; 7 stands for epoch seconds. */
const SETTINGS = { timestampFormat: { useTrait: true, default: 7 }, jsonName: false } as const;

/** Reads an unreadable time as an invalid `Date`. The SDK's own deserializer would reject the whole answer, such as a listing of all accounts. */
class TolerantDeserializer extends JsonShapeDeserializer2 {
  protected override _read(schema: Parameters<JsonShapeDeserializer2['read']>[0], value: unknown): unknown {
    try {
      return super._read(schema, value);
    } catch (error) {
      if (NormalizedSchema.of(schema).isTimestampSchema()) return new Date(Number.NaN);
      throw error;
    }
  }
}

interface Client {
  readonly config: { readonly protocol: object };
}

/** Replaces the client's deserializer, for which the SDK has no setting. @throws Error if a new SDK has another deserializer */
export function withTolerantTimes<C extends Client>(client: C): C {
  const { protocol } = client.config;
  if (!(Reflect.get(protocol, 'deserializer') instanceof JsonShapeDeserializer2))
    throw new Error("the SDK's protocol has no JSON deserializer that could be replaced");
  Reflect.set(protocol, 'deserializer', new TolerantDeserializer(SETTINGS));
  return client;
}
