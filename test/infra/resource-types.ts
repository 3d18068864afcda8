import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Property, PropertyType, Resource, SpecDatabase } from '@aws-cdk/service-spec-types';

/*
 * AWS's specification of its resource types, as the CDK publishes it: the properties of a type, which of them are required, their types, and
 * the attributes for GetAtt. It is part of the npm package, so it needs no network.
 */

export interface ResourceType {
  /** Whether `Fn::GetAtt` supports the attribute. Attributes of nested objects are joined with dots. */
  hasAttribute(name: string): boolean;
  /** All faults of these properties, with their position. Functions count as valid values. */
  faults(properties: Readonly<Record<string, unknown>>): readonly string[];
}

let known: SpecDatabase | null = null;

/** @returns `null` for a type that AWS does not have */
export function resourceType(name: string): ResourceType | null {
  known ??= loadAwsServiceSpecSync();
  const [resource] = known.lookup('resource', 'cloudFormationType', 'equals', name);
  return resource === undefined ? null : typeOf(known, resource);
}

function typeOf(database: SpecDatabase, resource: Resource): ResourceType {
  return {
    hasAttribute: (name) => Object.hasOwn(resource.attributes, name),
    faults: (properties) => objectFaults(database, 'Properties', resource.properties, properties),
  };
}

function objectFaults(
  database: SpecDatabase,
  path: string,
  allowed: Readonly<Record<string, Property>>,
  found: Readonly<Record<string, unknown>>,
): readonly string[] {
  const missing = Object.entries(allowed)
    .filter(([name, { required }]) => required === true && !Object.hasOwn(found, name))
    .map(([name]) => `${path}.${name} is required and missing`);
  const wrong = Object.entries(found).flatMap(([name, value]) => {
    const property = allowed[name];
    if (property === undefined) {
      return [`${path}.${name} is not a property; there are ${Object.keys(allowed).sort().join(', ')}`];
    }
    const readings = [property.type, ...(property.previousTypes ?? [])].map((type) =>
      valueFaults(database, `${path}.${name}`, type, value),
    );
    return readings.some(({ length }) => length === 0) ? [] : (readings[0] ?? []);
  });
  return [...missing, ...wrong];
}

function valueFaults(database: SpecDatabase, path: string, type: PropertyType, value: unknown): readonly string[] {
  if (isFunction(value)) return [];
  switch (type.type) {
    case 'json':
      return [];
    case 'array':
      if (!Array.isArray(value)) return [`${path} is ${shown(value)}, expected a list`];
      return value.flatMap((each, index) => valueFaults(database, `${path}[${index}]`, type.element, each));
    case 'map':
      if (!isObject(value)) return [`${path} is ${shown(value)}, expected an object`];
      return Object.entries(value).flatMap(([name, each]) =>
        valueFaults(database, `${path}.${name}`, type.element, each),
      );
    case 'ref': {
      if (!isObject(value)) return [`${path} is ${shown(value)}, expected an object`];
      return objectFaults(database, path, database.get('typeDefinition', type.reference).properties, value);
    }
    case 'tag':
      return isObject(value) && 'Key' in value && 'Value' in value ? [] : [`${path} is not a tag`];
    case 'union': {
      const readings = type.types.map((each) => valueFaults(database, path, each, value));
      return readings.some(({ length }) => length === 0) ? [] : (readings[0] ?? []);
    }
    default:
      return scalarFaults(path, type, value);
  }
}

function scalarFaults(path: string, type: PropertyType, value: unknown): readonly string[] {
  // CloudFormation converts between scalar types.
  if (!['string', 'number', 'boolean'].includes(typeof value))
    return [`${path} is ${shown(value)}, expected a ${type.type}`];
  const text = String(value);
  if (type.type === 'number' || type.type === 'integer') {
    return Number.isFinite(Number(text)) ? [] : [`${path} is ${shown(value)}, expected a ${type.type}`];
  }
  if (type.type === 'boolean')
    return /^(true|false)$/.test(text) ? [] : [`${path} is ${shown(value)}, expected a boolean`];
  if (type.type !== 'string' || type.allowedValues === undefined || type.allowedValues.includes(text)) return [];
  return [`${path} is ${shown(value)}, expected one of ${type.allowedValues.join(', ')}`];
}

/** A value that CloudFormation computes. */
function isFunction(value: unknown): boolean {
  if (!isObject(value)) return false;
  const [name, ...others] = Object.keys(value);
  return name !== undefined && others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'));
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 60) ?? String(value);
}
