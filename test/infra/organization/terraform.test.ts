// biome-ignore-all lint/suspicious/noTemplateCurlyInString: exactly as in the module
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { assembleOrganization } from '../../../infra/organization/assemble.ts';
import { terraformFiles, variableName } from '../../../infra/organization/terraform.ts';
import { read } from '../template.ts';

const built = assembleOrganization();
const template = z
  .object({
    Parameters: z.record(z.string(), z.looseObject({ Type: z.string(), Default: z.unknown().optional() })),
    Resources: z.record(z.string(), z.looseObject({ Properties: z.record(z.string(), z.unknown()).optional() })),
    Outputs: z.record(z.string(), z.unknown()),
  })
  .parse(built);
const main = read('infra/terraform/main.tf');
const example = read('infra/terraform/examples/organization/main.tf');

/** The arguments of a block of the stack, sorted. */
function stackBlock(name: string): readonly string[] {
  const stack = /resource "aws_cloudformation_stack" "rollcall" \{\n(.*?)\n\}/s.exec(main)?.[1] ?? '';
  const block = new RegExp(`^  ${name} \\{\\n(.*?)^  \\}`, 'ms').exec(stack)?.[1] ?? '';
  const lines = block.split('\n').map((line) => line.trim().replaceAll(/ +/g, ' '));
  return lines.filter((line) => line !== '' && !line.startsWith('#')).sort();
}

describe('the Terraform module', () => {
  it.each(Object.entries(terraformFiles(built)))(
    '%s is up to date (`npm run organization` renews it)',
    (name, made) => {
      expect(JSON.parse(read(`infra/terraform/${name}`))).toEqual(made);
    },
  );

  it('deploys the same template, so that resources, permissions and settings are the same', () => {
    expect(main).toContain('template = "${path.module}/../organization.template.json"');
    expect(main).toContain('content      = file(local.template)');
    expect(main).toContain('capabilities = ["CAPABILITY_NAMED_IAM"]');
    // Names that contain the stage, as the CLI deploys it.
    expect(main).toContain('name         = "rollcall-${var.stage}"');
  });

  it('waits as long as a StackSet of 10,000 accounts takes, because the provider gives up after 30 minutes by default', () => {
    expect(stackBlock('timeouts')).toEqual(['create = "12h"', 'delete = "12h"', 'update = "12h"']);
  });

  it('never replaces the stack: that would delete the roles of all accounts, and the table that remains blocks a new one', () => {
    expect(stackBlock('lifecycle')).toContain('prevent_destroy = true');
  });

  it('keeps an imported stack, although the provider does not read its on_failure', () => {
    expect(stackBlock('lifecycle')).toContain('ignore_changes = [on_failure]');
  });

  it('sets every parameter of the template', () => {
    const { parameters } = z
      .object({ locals: z.object({ parameters: z.record(z.string(), z.string()) }) })
      .parse(JSON.parse(read('infra/terraform/parameters.tf.json'))).locals;
    const computed = [...main.matchAll(/\b(Package\w+) = /g)].flatMap(([, name]) => name ?? []);
    expect([...Object.keys(parameters), ...computed].sort()).toEqual(Object.keys(template.Parameters).sort());
  });

  it('uploads a package for each function of the template', () => {
    const keys = Object.values(template.Resources).flatMap(({ Properties }) => {
      const code = z.object({ S3Key: z.object({ 'Fn::Sub': z.string() }) }).safeParse(Properties?.['Code']);
      return code.success ? [code.data.S3Key['Fn::Sub']] : [];
    });
    const packed = /for name in (\[.+?\]) :/.exec(main)?.[1];
    const names = z.array(z.string()).parse(JSON.parse(packed ?? 'null'));
    expect(keys.sort()).toEqual(names.map((name) => `\${PackagePrefix}${name}.zip`));
  });

  it('has an example that sets every variable without a default, in both accounts', () => {
    const required = Object.entries(template.Parameters)
      .filter(([name, { Default }]) => Default === undefined && !/^Package/.test(name))
      .map(([name]) => variableName(name));
    expect(required.length).toBeGreaterThan(4);
    for (const name of required) {
      const set = example.split('\n').filter((line) => new RegExp(`^  ${name} +=`).test(line));
      expect([name, set.length]).toEqual([name, 2]);
    }
  });
});
