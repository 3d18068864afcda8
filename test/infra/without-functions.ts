/** Removes the functions' names for comparisons that ignore them: `{ Ref: Queue }` becomes `Queue`. */
export function withoutFunctions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutFunctions);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [only, ...others] = entries;
  if (only !== undefined && others.length === 0) {
    const [name, argument] = only;
    if (name === 'Fn::GetAtt' && Array.isArray(argument)) return argument.join('.');
    if (name === 'Ref' || name.startsWith('Fn::')) return withoutFunctions(argument);
  }
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutFunctions(inner)]));
}
