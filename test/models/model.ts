/** A service's interface in one notation, whichever source it was read from, so that two sources can be compared. */
export interface ServiceModel {
  /** For reports, e.g. `botocore 1.44.8`. */
  readonly source: string;
  /** Whether the source states lengths, ranges and patterns. The types of a JavaScript client do not. */
  readonly hasConstraints: boolean;
  /** By name; only the operations that are compared are expanded. */
  readonly operations: ReadonlyMap<string, () => OperationModel>;
}

export interface OperationModel {
  /** By path: `input.maxResults`, `output.accounts[].status`. A list's items have the path `…[]`, a map's values `…{}`. */
  readonly members: ReadonlyMap<string, Member>;
  readonly errors: ReadonlySet<string>;
}

export interface Member {
  readonly type: string;
  readonly required: boolean;
  /** The values of an enum; `null` for any other type. */
  readonly values: readonly string[] | null;
  readonly constraints: Constraints;
}

export type Constraints = Readonly<Partial<Record<'length' | 'range' | 'pattern', string>>>;

/** How a source describes one type. Members refer to further shapes by the source's own names. */
export interface Shape {
  readonly type: string;
  readonly values?: readonly string[] | null;
  readonly constraints?: Constraints;
  readonly members?: Readonly<Record<string, Reference>>;
  readonly items?: Reference;
  readonly entries?: Reference;
}

export interface Reference {
  readonly target: string;
  readonly required?: boolean;
  /** Constraints of the member itself, which replace those of its shape. */
  readonly constraints?: Constraints;
}

export interface OperationShapes {
  /** `null` if the operation has no input, or no output. */
  readonly input: string | null;
  readonly output: string | null;
  readonly errors: readonly string[];
}

/** The sources write the same constraint differently: botocore omits a minimum length of 0, the anchors of a pattern, and some of its backslashes. */
export function constraint(kind: 'length' | 'range', min: number | undefined, max: number | undefined): Constraints {
  const least = kind === 'length' && min === 0 ? undefined : min;
  return least === undefined && max === undefined ? {} : { [kind]: `${least ?? ''}..${max ?? ''}` };
}

export function patternConstraint(pattern: string | undefined): Constraints {
  return pattern === undefined ? {} : { pattern: pattern.replace(/^\^/, '').replace(/\$$/, '').replaceAll('\\/', '/') };
}

/** Lists every member that a request or an answer of the operation can have. */
export function expandOperation(operation: OperationShapes, shapeOf: (name: string) => Shape): OperationModel {
  const members = new Map<string, Member>();
  const visit = (reference: Reference, path: string, above: ReadonlySet<string>): void => {
    const shape = shapeOf(reference.target);
    members.set(path, {
      type: shape.type,
      required: reference.required ?? false,
      values: shape.values ?? null,
      constraints: { ...shape.constraints, ...reference.constraints },
    });
    // A structure can contain itself, as an attribute value of DynamoDB does.
    if (above.has(reference.target)) return;
    const inside = shape.members === undefined ? above : new Set([...above, reference.target]);
    for (const [name, member] of Object.entries(shape.members ?? {})) visit(member, `${path}.${name}`, inside);
    if (shape.items !== undefined) visit(shape.items, `${path}[]`, inside);
    if (shape.entries !== undefined) visit(shape.entries, `${path}{}`, inside);
  };
  for (const [path, target] of [
    ['input', operation.input],
    ['output', operation.output],
  ] as const) {
    if (target !== null) visit({ target }, path, new Set());
    // An operation without input and one whose input has no members are the same on the wire.
    members.delete(path);
  }
  return { members, errors: new Set(operation.errors) };
}
