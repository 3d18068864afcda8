import { JsonShapeDeserializer2 } from '@smithy/core/protocols';
import { NormalizedSchema } from '@smithy/core/schema';

/** Epoch seconds, the timestamp format of awsJson. */
const SETTINGS = { timestampFormat: { useTrait: true, default: 7 }, jsonName: false } as const;

/**
 * Reads an unreadable time as an invalid `Date`. The SDK would reject the whole answer, so one account with an unreadable time would break the
 * listing of all accounts.
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
 * Makes the client read its answers this way. The SDK has no setting for it, so the deserializer of its protocol is replaced.
 * @throws Error if the SDK's protocol no longer has this deserializer
 */
export function withTolerantTimes<C extends Client>(client: C): C {
  const { protocol } = client.config;
  if (!(Reflect.get(protocol, 'deserializer') instanceof JsonShapeDeserializer2))
    throw new Error("the SDK's protocol has no JSON deserializer that could be replaced");
  Reflect.set(protocol, 'deserializer', new TolerantDeserializer(SETTINGS));
  return client;
}
