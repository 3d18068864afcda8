import { isObject, resourceType } from './resource-types.ts';

/*
 * Finds template errors without CloudFormation: unknown sections, malformed resources and functions, and references to missing names.
 */

const SECTIONS = [
  ...['AWSTemplateFormatVersion', 'Description', 'Metadata', 'Parameters', 'Mappings', 'Conditions', 'Rules'],
  ...['Transform', 'Resources', 'Outputs'],
];
const RESOURCE_KEYS = [
  ...['Type', 'Properties', 'Condition', 'DependsOn', 'DeletionPolicy', 'UpdateReplacePolicy', 'UpdatePolicy'],
  ...['CreationPolicy', 'Metadata'],
];
const PARAMETER_KEYS = [
  ...['Type', 'Default', 'Description', 'AllowedPattern', 'AllowedValues', 'ConstraintDescription', 'NoEcho'],
  ...['MinLength', 'MaxLength', 'MinValue', 'MaxValue'],
];
const PARAMETER_TYPES = ['String', 'Number', 'List<Number>', 'CommaDelimitedList'];
const PSEUDO = [
  ...['AWS::AccountId', 'AWS::NotificationARNs', 'AWS::NoValue', 'AWS::Partition', 'AWS::Region', 'AWS::StackId'],
  ...['AWS::StackName', 'AWS::URLSuffix'],
];
/** The allowed number of elements of functions that take a list. */
const LENGTHS: Readonly<Record<string, readonly [number, number]>> = {
  'Fn::If': [3, 3],
  'Fn::Equals': [2, 2],
  'Fn::Not': [1, 1],
  'Fn::And': [2, 10],
  'Fn::Or': [2, 10],
  'Fn::Join': [2, 2],
  'Fn::Select': [2, 2],
  'Fn::Split': [2, 2],
  'Fn::FindInMap': [3, 4],
  'Fn::Cidr': [2, 3],
};
const WITH_ANY = ['Fn::Base64', 'Fn::GetAZs', 'Fn::ImportValue', 'Fn::Length', 'Fn::ToJsonString', 'Fn::Transform'];
const ONLY_IN_CONDITIONS = ['Fn::Equals', 'Fn::Not', 'Fn::And', 'Fn::Or'];

/** @returns all faults with their position; an empty list for a valid template */
export function structureFaults(document: unknown): readonly string[] {
  if (!isObject(document)) return ['the template is not an object'];
  return new Structure(document).faults();
}

/** The position of a value. */
interface Place {
  /** Conditions allow only some functions. */
  readonly conditional: boolean;
  /** Conditions that are true at this position. */
  readonly given: readonly unknown[];
}

class Structure {
  readonly #document: Readonly<Record<string, unknown>>;
  readonly #parameters: Readonly<Record<string, unknown>>;
  readonly #conditions: Readonly<Record<string, unknown>>;
  readonly #resources: Readonly<Record<string, unknown>>;
  readonly #used = new Set<string>();
  readonly #faults: string[] = [];

  constructor(document: Readonly<Record<string, unknown>>) {
    this.#document = document;
    this.#parameters = this.#section('Parameters');
    this.#conditions = this.#section('Conditions');
    this.#resources = this.#section('Resources');
  }

  faults(): readonly string[] {
    this.#only('the template', this.#document, SECTIONS);
    const version = this.#document['AWSTemplateFormatVersion'];
    if (version !== undefined && version !== '2010-09-09') this.#say(`AWSTemplateFormatVersion is ${String(version)}`);
    const description = this.#document['Description'];
    if (description !== undefined && (typeof description !== 'string' || Buffer.byteLength(description) > 1_024)) {
      this.#say('Description: expected a text of at most 1,024 bytes');
    }
    if (Object.keys(this.#resources).length === 0) this.#say('Resources: missing');
    for (const [name, parameter] of this.#named('Parameters', this.#parameters)) this.#parameter(name, parameter);
    for (const [name, condition] of this.#named('Conditions', this.#conditions)) this.#declared(name, condition);
    for (const [name, resource] of this.#named('Resources', this.#resources)) this.#resource(name, resource);
    for (const [name, output] of this.#named('Outputs', this.#section('Outputs'))) this.#output(name, output);
    for (const name of [...Object.keys(this.#parameters), ...Object.keys(this.#conditions)]) {
      if (!this.#used.has(name)) this.#say(`${name} is declared and used nowhere`);
    }
    return this.#faults;
  }

  #say(fault: string): void {
    this.#faults.push(fault);
  }

  #section(name: string): Readonly<Record<string, unknown>> {
    const found = this.#document[name];
    if (found === undefined) return {};
    if (isObject(found)) return found;
    this.#say(`${name}: expected an object`);
    return {};
  }

  #named(section: string, found: Readonly<Record<string, unknown>>) {
    return Object.entries(found).flatMap(([name, value]) => {
      if (!/^[A-Za-z0-9]{1,255}$/.test(name)) this.#say(`${section}.${name}: a logical id has only letters and digits`);
      if (isObject(value)) return [[name, value] as const];
      this.#say(`${section}.${name}: expected an object`);
      return [];
    });
  }

  #only(where: string, found: Readonly<Record<string, unknown>>, allowed: readonly string[]): void {
    for (const name of Object.keys(found))
      if (!allowed.includes(name)) this.#say(`${where} has an unknown key ${name}`);
  }

  #parameter(name: string, parameter: Readonly<Record<string, unknown>>): void {
    const where = `Parameters.${name}`;
    this.#only(where, parameter, PARAMETER_KEYS);
    const { Type, Default, AllowedPattern, AllowedValues } = parameter;
    if (typeof Type !== 'string' || !(PARAMETER_TYPES.includes(Type) || Type.startsWith('AWS::'))) {
      this.#say(`${where}.Type is ${String(Type)}`);
    }
    if (Default !== undefined && typeof AllowedPattern === 'string') {
      const pattern = new RegExp(`^(?:${AllowedPattern})$`);
      if (!pattern.test(String(Default))) this.#say(`${where}.Default does not match AllowedPattern`);
    }
    if (Default !== undefined && Array.isArray(AllowedValues) && !AllowedValues.includes(Default)) {
      this.#say(`${where}.Default is not among AllowedValues`);
    }
  }

  #declared(name: string, condition: Readonly<Record<string, unknown>>): void {
    const [only, ...others] = Object.keys(condition);
    if (others.length > 0 || only === undefined || ![...ONLY_IN_CONDITIONS, 'Condition'].includes(only)) {
      this.#say(`Conditions.${name}: expected one of ${ONLY_IN_CONDITIONS.join(', ')}`);
    }
    this.#walk(`Conditions.${name}`, condition, { conditional: true, given: [] });
  }

  #resource(name: string, resource: Readonly<Record<string, unknown>>): void {
    const where = `Resources.${name}`;
    this.#only(where, resource, RESOURCE_KEYS);
    const { Type, Properties = {}, Condition, DependsOn = [] } = resource;
    if (Condition !== undefined) this.#condition(`${where}.Condition`, Condition);
    for (const target of [DependsOn].flat()) {
      if (typeof target !== 'string' || !Object.hasOwn(this.#resources, target)) {
        this.#say(`${where}.DependsOn names ${String(target)}, which is not a resource`);
      }
    }
    for (const policy of ['DeletionPolicy', 'UpdateReplacePolicy']) {
      const found = resource[policy];
      if (found !== undefined && !['Delete', 'Retain', 'Snapshot', 'RetainExceptOnCreate'].includes(String(found))) {
        this.#say(`${where}.${policy} is ${String(found)}`);
      }
    }
    const type = typeof Type === 'string' ? resourceType(Type) : null;
    if (type === null) this.#say(`${where}.Type is ${String(Type)}, which AWS does not have`);
    if (!isObject(Properties)) this.#say(`${where}.Properties: expected an object`);
    else for (const fault of type?.faults(Properties) ?? []) this.#say(`${where}.${fault}`);
    this.#walk(`${where}.Properties`, Properties, { conditional: false, given: [Condition] });
  }

  #output(name: string, output: Readonly<Record<string, unknown>>): void {
    const where = `Outputs.${name}`;
    this.#only(where, output, ['Description', 'Value', 'Export', 'Condition']);
    if (!('Value' in output)) this.#say(`${where} has no Value`);
    if ('Condition' in output) this.#condition(`${where}.Condition`, output['Condition']);
    const { Value, Export, Condition } = output;
    this.#walk(where, { Value, Export }, { conditional: false, given: [Condition] });
  }

  /** Checks every function in a value. */
  #walk(where: string, value: unknown, place: Place): void {
    if (Array.isArray(value)) {
      for (const [index, each] of value.entries()) this.#walk(`${where}[${index}]`, each, place);
      return;
    }
    if (!isObject(value)) return;
    const names = Object.keys(value);
    const functions = names.filter((name) => name === 'Ref' || name.startsWith('Fn::'));
    if (functions.length > 0 && names.length > 1) this.#say(`${where}: ${functions.join(', ')} beside other keys`);
    for (const [name, argument] of Object.entries(value)) {
      if (functions.includes(name)) this.#function(`${where}.${name}`, name, argument, place);
      // `Condition` is a function only in a condition; elsewhere it is an IAM key.
      else if (place.conditional && name === 'Condition') this.#condition(where, argument);
      if (name === 'Fn::If' && Array.isArray(argument)) this.#branches(`${where}.${name}`, argument, place);
      else this.#walk(`${where}.${name}`, argument, place);
    }
  }

  /** The first branch of an `Fn::If` applies only if its condition is true. */
  #branches(where: string, [condition, holds, other]: readonly unknown[], place: Place): void {
    this.#walk(`${where}[1]`, holds, { ...place, given: [...place.given, condition] });
    this.#walk(`${where}[2]`, other, place);
  }

  #function(where: string, name: string, argument: unknown, place: Place): void {
    if (name === 'Ref') this.#reference(where, argument, place);
    else if (name === 'Fn::GetAtt') this.#attribute(where, argument, place);
    else if (name === 'Fn::Sub') this.#substitution(where, argument, place);
    else if (!WITH_ANY.includes(name)) this.#list(where, name, argument, place);
  }

  #list(where: string, name: string, argument: unknown, place: Place): void {
    const lengths = LENGTHS[name];
    if (lengths === undefined) {
      this.#say(`${where} is not a function of CloudFormation's`);
      return;
    }
    if (ONLY_IN_CONDITIONS.includes(name) && !place.conditional) this.#say(`${where} may only be used in Conditions`);
    const [least, most] = lengths;
    if (!Array.isArray(argument) || argument.length < least || argument.length > most) {
      this.#say(`${where}: expected a list of ${least === most ? least : `${least} to ${most}`} elements`);
    } else if (name === 'Fn::If') this.#condition(where, argument[0]);
  }

  #attribute(where: string, argument: unknown, place: Place): void {
    const path = typeof argument === 'string' ? argument.split(/\.(.*)/, 2) : [argument].flat();
    const [target, attribute, ...others] = path;
    if (typeof target !== 'string' || typeof attribute !== 'string' || others.length > 0) {
      this.#say(`${where}: expected a resource and an attribute`);
      return;
    }
    const resource = this.#resources[target];
    if (!isObject(resource)) {
      this.#say(`${where} names ${target}, which is not a resource`);
      return;
    }
    this.#exists(where, target, place);
    const type = typeof resource['Type'] === 'string' ? resourceType(resource['Type']) : null;
    if (type?.hasAttribute(attribute) === false) {
      this.#say(`${where}: ${String(resource['Type'])} has no attribute ${attribute}`);
    }
  }

  #substitution(where: string, argument: unknown, place: Place): void {
    const [text, own = {}] = Array.isArray(argument) ? argument : [argument];
    if (typeof text !== 'string' || !isObject(own)) {
      this.#say(`${where}: expected a text, or a text and an object`);
      return;
    }
    for (const [, name = ''] of text.matchAll(/\$\{([^!}][^}]*)\}/g)) {
      const at = `${where} \${${name}}`;
      if (Object.hasOwn(own, name)) continue;
      if (!/^[A-Za-z0-9:.]+$/.test(name)) this.#say(`${at} is not a reference`);
      else if (name.includes('.')) this.#attribute(at, name, place);
      else this.#reference(at, name, place);
    }
  }

  #reference(where: string, name: unknown, place: Place): void {
    if (typeof name !== 'string') {
      this.#say(`${where}: expected a name`);
      return;
    }
    this.#used.add(name);
    if (Object.hasOwn(this.#resources, name)) this.#exists(where, name, place);
    else if (!PSEUDO.includes(name) && !Object.hasOwn(this.#parameters, name)) {
      this.#say(`${where} names ${name}, which is not a parameter or resource`);
    }
  }

  /** A conditional resource may be referenced only where the same condition is true. */
  #exists(where: string, target: string, { given }: Place): void {
    const resource = this.#resources[target];
    const condition = isObject(resource) ? resource['Condition'] : undefined;
    if (condition === undefined || given.some((known) => this.#implies(known, condition))) return;
    this.#say(`${where} names ${target}, which is there only under ${String(condition)}`);
  }

  /** Whether one condition can only be true together with another: it is the same, an `And` with it, or part of its `Or`. */
  #implies(known: unknown, wanted: unknown): boolean {
    if (known === wanted) return true;
    const all = this.#parts(known, 'Fn::And');
    return (
      all.some((part) => this.#implies(part, wanted)) || this.#parts(wanted, 'Fn::Or').some((part) => part === known)
    );
  }

  /** The named conditions that a condition joins. */
  #parts(name: unknown, joined: 'Fn::And' | 'Fn::Or'): readonly unknown[] {
    const declared = typeof name === 'string' ? this.#conditions[name] : undefined;
    const parts = isObject(declared) ? declared[joined] : undefined;
    return Array.isArray(parts) ? parts.flatMap((part) => (isObject(part) ? (part['Condition'] ?? []) : [])) : [];
  }

  #condition(where: string, name: unknown): void {
    if (typeof name !== 'string') {
      this.#say(`${where}: expected the name of a condition`);
      return;
    }
    this.#used.add(name);
    if (!Object.hasOwn(this.#conditions, name)) this.#say(`${where} names ${name}, which is not a condition`);
  }
}
