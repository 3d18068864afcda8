import { JsonShapeDeserializer2 } from '@smithy/core/protocols';
import { NormalizedSchema } from '@smithy/core/schema';

/** Epoch seconds, which is what awsJson says times in. */
const SETTINGS = { timestampFormat: { useTrait: true, default: 7 }, jsonName: false } as const;

/**
 * Reads a time that is none as an invalid `Date`. The SDK would refuse the whole answer, so that one account with an unreadable time would end
 * the listing of all.
 */
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

/**
 * The client, which from now on reads its answers so. The SDK has no setting for it, so that its protocol's own deserializer is replaced.
 * @throws Error if the SDK's protocol has none any more
 */
export function withTolerantTimes<C extends Client>(client: C): C {
  const { protocol } = client.config;
  if (!(Reflect.get(protocol, 'deserializer') instanceof JsonShapeDeserializer2))
    throw new Error("the SDK's protocol has no deserializer for JSON that could be replaced");
  Reflect.set(protocol, 'deserializer', new TolerantDeserializer(SETTINGS));
  return client;
}
