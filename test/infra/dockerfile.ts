import { type Copy, DockerfileParser, type Instruction } from 'dockerfile-ast';
import * as z from 'zod';
import { read } from './template.ts';

const DOCKERFILE = 'infra/container/Dockerfile';

const words = z.array(z.string()).min(1);

export interface CopiedFiles {
  /** The stage that the files come from; `null`: the checkout. */
  readonly from: string | null;
  readonly sources: readonly string[];
  readonly target: string;
}

/** The image as the last stage of the Dockerfile describes it. */
export interface Image {
  readonly base: string;
  readonly user: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly entryPoint: readonly string[];
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
  readonly copied: readonly CopiedFiles[];
}

/** @returns the files that the whole Dockerfile copies, and the image. @throws Error for a stage without an instruction that every image needs */
export function readDockerfile(): { readonly copied: readonly CopiedFiles[]; readonly image: Image } {
  const file = DockerfileParser.parse(read(DOCKERFILE));
  const copied = file.getCOPYs().map(copiedFiles);
  const instructions = file.getInstructions();
  const last = instructions.slice(instructions.findLastIndex((each) => each.getKeyword() === 'FROM'));
  const all = (keyword: string): readonly Instruction[] => last.filter((each) => each.getKeyword() === keyword);
  const one = (keyword: string): string => {
    const [found, ...others] = all(keyword);
    if (found === undefined || others.length > 0)
      throw new Error(`${DOCKERFILE}: expected one ${keyword} in the image`);
    return found.getArgumentsContent() ?? '';
  };
  const list = (text: string): readonly string[] => words.parse(JSON.parse(text));
  const start = last[0]?.getRange().start.line ?? 0;
  const image = {
    base: one('FROM'),
    user: one('USER'),
    environment: Object.fromEntries(
      all('ENV')
        .flatMap((each) => each.getArguments().map((argument) => argument.getValue()))
        .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    ),
    volumes: list(one('VOLUME')),
    entryPoint: list(one('ENTRYPOINT')),
    command: list(one('CMD')),
    healthCheck: list(/CMD\s+(\[.*\])$/s.exec(one('HEALTHCHECK'))?.[1] ?? ''),
    copied: file
      .getCOPYs()
      .filter((each) => each.getRange().start.line >= start)
      .map(copiedFiles),
  };
  return { copied, image };
}

function copiedFiles(copy: Copy): CopiedFiles {
  const paths = copy.getArguments().map((argument) => argument.getValue());
  // `getFromFlag` finds the flag only if there is no other one.
  const from = copy.getFlags().find((flag) => flag.getName() === 'from');
  return { from: from?.getValue() ?? null, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
}
