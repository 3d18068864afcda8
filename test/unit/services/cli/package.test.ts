import { describe, expect, it } from 'vitest';
import { packedLinks, packedPaths } from '../../../../services/cli/package/links.ts';
import { publishedManifest } from '../../../../services/cli/package/manifest.ts';

const CHECKOUT = {
  ...{ name: 'rollcall', version: '1.2.3', description: 'd', keywords: [], license: 'MIT', type: 'module' },
  ...{ engines: { node: '>=24' }, private: true, scripts: { start: 'x' }, dependencies: { zod: '4' } },
};

describe('the manifest of the npm package', () => {
  it('derives every address from the repository of package.json', () => {
    const repository = 'https://github.com/example/rollcall';
    const { document, tag, ...rest } = publishedManifest({ ...CHECKOUT, repository }, ['cli']);
    expect([rest.repository, tag]).toEqual([repository, 'v1.2.3']);
    expect(document).toEqual({
      ...{ name: 'rollcall', version: '1.2.3', description: 'd', keywords: [], license: 'MIT', type: 'module' },
      ...{ engines: { node: '>=24' }, bin: { rollcall: 'bin.mjs' }, files: ['cli'] },
      homepage: 'https://github.com/example/rollcall#readme',
      bugs: { url: 'https://github.com/example/rollcall/issues' },
      repository: { type: 'git', url: 'git+https://github.com/example/rollcall.git' },
    });
  });

  it('names no address while the owner has not filled it in', () => {
    const { document, repository } = publishedManifest({ ...CHECKOUT, repository: '' }, []);
    expect(repository).toBeNull();
    expect(Object.keys(document)).not.toEqual(expect.arrayContaining(['homepage', 'bugs', 'repository']));
  });

  it.each(['github:example/rollcall', 'git@github.com:example/rollcall.git', 'https://github.com/example/rollcall/'])(
    'refuses %s, and says what it expects',
    (repository) => {
      expect(() => publishedManifest({ ...CHECKOUT, repository }, [])).toThrow(/expected the https address/);
    },
  );
});

const README = `# Rollcall

![Terminal](docs/pictures/demo.png)

<picture>
  <source media="(prefers-color-scheme: dark)" srcset="docs/pictures/dark.png">
  <img alt="The dashboard" src="docs/pictures/light.png">
</picture>

[Tutorial](docs/tutorials/sandbox.md#scan), [example](examples/small.yaml), [site](https://example.com), [below](#below)

\`\`\`sh
echo "[x](docs/y.md)"
\`\`\`
`;

describe('the links of the packed README', () => {
  const isPacked = (path: string): boolean => path === 'examples/small.yaml';

  it('lead to the files of this release', () => {
    const packed = packedLinks(README, { repository: 'https://github.com/example/rollcall', tag: 'v1.2.3', isPacked });
    const raw = 'https://github.com/example/rollcall/raw/v1.2.3/docs/pictures';
    expect(packed).toContain(`![Terminal](${raw}/demo.png)`);
    expect(packed).toContain(`srcset="${raw}/dark.png"`);
    expect(packed).toContain(`src="${raw}/light.png"`);
    expect(packed).toContain(
      '[Tutorial](https://github.com/example/rollcall/blob/v1.2.3/docs/tutorials/sandbox.md#scan), ' +
        '[example](https://github.com/example/rollcall/blob/v1.2.3/examples/small.yaml), [site](https://example.com), [below](#below)',
    );
    expect(packed).toContain('echo "[x](docs/y.md)"');
  });

  it('stay only where the package has the file, while there is no address', () => {
    expect(packedLinks(README, { repository: null, tag: 'v1.2.3', isPacked })).toBe(`# Rollcall

The documentation is in the folder \`docs\` of the repository, not in this package; \`rollcall help\` lists the commands.

Tutorial, [example](examples/small.yaml), [site](https://example.com), [below](#below)

\`\`\`sh
echo "[x](docs/y.md)"
\`\`\`
`);
  });
});

describe('the pages that a packed template names', () => {
  const template = `# The metrics need a token (docs/how-to/prometheus.md).
"AlarmDescription": "The tick fails (docs/how-to/operate-aws.md)"
          runbook_url: docs/how-to/prometheus.md#rollcalldown
# https://example.com/docs/how-to/other.md, site/docs/how-to/other.md
`;

  it('are links to this release', () => {
    const page = 'https://github.com/example/rollcall/blob/v1.2.3/docs/how-to';
    expect(
      packedPaths(template, { repository: 'https://github.com/example/rollcall', tag: 'v1.2.3' }),
    ).toBe(`# The metrics need a token (${page}/prometheus.md).
"AlarmDescription": "The tick fails (${page}/operate-aws.md)"
          runbook_url: ${page}/prometheus.md#rollcalldown
# https://example.com/docs/how-to/other.md, site/docs/how-to/other.md
`);
  });

  it('are paths of the repository while there is no address', () => {
    expect(
      packedPaths(template, { repository: null, tag: 'v1.2.3' }),
    ).toBe(`# The metrics need a token (docs/how-to/prometheus.md of the Rollcall repository).
"AlarmDescription": "The tick fails (docs/how-to/operate-aws.md of the Rollcall repository)"
          runbook_url: docs/how-to/prometheus.md#rollcalldown
# https://example.com/docs/how-to/other.md, site/docs/how-to/other.md
`);
  });

  it('are found from the folder of a Markdown document', () => {
    const text = '# Module\n\n[Guide](../../docs/how-to/deploy-aws.md), [file](main.tf)\n';
    const isPacked = (path: string): boolean => path === 'infra/terraform/main.tf';
    const of = (repository: string | null) =>
      packedLinks(text, { repository, tag: 'v1', isPacked, folder: 'infra/terraform' });
    expect(of('https://example.com/r')).toContain(
      '[Guide](https://example.com/r/blob/v1/docs/how-to/deploy-aws.md), [file](https://example.com/r/blob/v1/infra/terraform/main.tf)',
    );
    expect(of(null)).toContain('\nGuide, [file](main.tf)\n');
  });
});
