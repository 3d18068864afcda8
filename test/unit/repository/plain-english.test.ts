import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');

/** The banned words of docs/reference/style.md, each with what to write instead. */
const BANNED: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\banew\b/i, 'again'],
  [/\bat once\b/i, '"immediately", "in one call" or "at the same time"'],
  [/\b(?:is|are|was|were) told of\b/i, 'name who learns what'],
  [/\btells\b/i, '"reports", "shows" or "says"'],
  // `mend` alone is a key of `doctor --json`.
  [/\bmend(?:s|ed)\b|\b(?:to|who|can|then) mend\b/i, 'fix'],
  [/\blooks? after\b/i, 'name what it does'],
  // `scan-wish` is the name of a stored register.
  [/(?<!scan-)\bwish(?:es|ed)?\b/i, 'request'],
  [/\blets? go\b/i, 'release'],
  [/\bcomes? free\b/i, 'is released'],
  [/\b(?:is|are) had\b/i, 'is acquired'],
  [/(?<!\bthere )\b(?:is|are) none\b/i, '"there is no …" or "is not a …"'],
  [/\bby chance\b/i, 'name the cause'],
  [/\bwho(?:m|ever)\b/i, 'name the person or thing'],
  [/\bput(?:s|ting)? right\b/i, 'remediate'],
  [/\bpretend(?:s|ed)?\b/i, 'simulated'],
];

/** Files whose words are not ours to change, or whose subject is these words. */
const EXCEPTIONS: readonly RegExp[] = [
  /^package-lock\.json$/,
  /^docs\/reference\/style\.md$/,
  /^LICENSE$/,
  /^services\/sandbox\/models\//,
  /^test\/unit\/repository\/plain-english\.test\.ts$/,
  // Entries that older versions wrote: a stored message is never changed.
  /^test\/unit\/app\/queries\/audit\/ledger-.*\.json$/,
  /^test\/golden\/stored\//,
  /^test\/fuzz\/corpus\//,
];

const FILES = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.(?:ts|tsx|mjs|cjs|css|md|ya?ml|json|grit)$/.test(file))
  .filter((file) => !EXCEPTIONS.some((pattern) => pattern.test(file)));

function findings(file: string, text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      BANNED.filter(([pattern]) => pattern.test(line)).map(
        ([pattern, instead]) => `${file}:${index + 1}: ${pattern.exec(line)?.[0] ?? ''} (write: ${instead})`,
      ),
    );
}

describe('plain English (docs/reference/style.md)', () => {
  it('no banned word in code, comments, user-visible text, tests or docs', () => {
    const found = FILES.flatMap((file) => findings(file, readFileSync(join(root, file), 'utf8')));
    expect(found).toEqual([]);
  });

  it('finds every banned word, and reads all sources', () => {
    const sample = [
      'Decided anew',
      'up to 50 at once',
      'the scan is told of it',
      'It tells why',
      'mends the row',
      'looks after the lease',
      'by a wish',
      'lets go of it',
      'what comes free',
      'when it is had',
      'a token that is none',
      'by chance',
      'to whom',
      'put right',
      'a pretend account',
    ];
    expect(findings('sample', sample.join('\n')).map((line) => line.split(':')[1])).toEqual(
      sample.map((_, index) => String(index + 1)),
    );
    expect(FILES.length).toBeGreaterThan(700);
  });

  it('every banned word stands in the style guide', () => {
    const guide = readFileSync(join(root, 'docs/reference/style.md'), 'utf8');
    expect(BANNED.filter(([pattern]) => !pattern.test(guide)).map(([pattern]) => pattern.source)).toEqual([]);
  });
});
