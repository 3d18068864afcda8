export type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws Error if the value is not an object */
export function fieldsOf(value: unknown, name: string): Fields {
  if (isObject(value)) return value;
  throw new Error(`${name} is ${JSON.stringify(value)}, expected an object`);
}
