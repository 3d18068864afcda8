import { type CollectionTag, type Node, Pair, parseDocument, Scalar, type ScalarTag, YAMLMap } from 'yaml';

/** All short forms of CloudFormation [intrinsic-function-reference]. Any other tag is an error. */
const FUNCTIONS = [
  ...['And', 'Base64', 'Cidr', 'Equals', 'FindInMap', 'GetAtt', 'GetAZs', 'If', 'ImportValue', 'Join', 'Length'],
  ...['Not', 'Or', 'Select', 'Split', 'Sub', 'ToJsonString', 'Transform'],
];

/** The long form of a short one: `!Sub x` is `{ Fn::Sub: x }`. */
function longName(name: string): string {
  return name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`;
}

function tagsOf(name: string): readonly (ScalarTag | CollectionTag)[] {
  const tag = `!${name}`;
  const wrap = (argument: Node): YAMLMap => {
    const map = new YAMLMap();
    map.add(new Pair(new Scalar(longName(name)), argument));
    return map;
  };
  return [
    // `!GetAtt Queue.Arn` has its two parts in one string.
    { tag, resolve: (text) => ({ [longName(name)]: name === 'GetAtt' ? attributePath(text) : text }) },
    { tag, collection: 'seq', resolve: (list) => wrap(list) },
    { tag, collection: 'map', resolve: (map) => wrap(map) },
  ];
}

function attributePath(text: string): readonly string[] {
  const dot = text.indexOf('.');
  return dot < 0 ? [text] : [text.slice(0, dot), text.slice(dot + 1)];
}

/**
 * Parses a template's source and expands short forms. The parser's warnings count as errors, because they mean that a part was not read as
 * it was written.
 * @throws Error naming the file and every error with its line
 */
export function parseTemplate(file: string, text: string): unknown {
  const customTags = ['Ref', 'Condition', ...FUNCTIONS].flatMap(tagsOf);
  const document = parseDocument(text, { strict: true, uniqueKeys: true, prettyErrors: true, customTags });
  const problems = [...document.errors, ...document.warnings].map(({ message }) => message.trim());
  if (problems.length > 0) throw new Error(`${file} is not valid YAML: ${problems.join('; ')}`);
  try {
    return document.toJS();
  } catch (cause) {
    // Aliases are only resolved here.
    throw new Error(`${file} is not valid YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
