import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { callsOf, FUNCTIONS, ON_BEHALF } from './calls.ts';
import { organizationFaults } from './organization/same-as-package.ts';
import { contentFaults, rebuilt } from './package-contents.ts';
import { structureFaults } from './structure.ts';
import { actionsOf, type Resource, statementsOf, template } from './template.ts';

/*
 * The last step of `npm run package`: checks the packages that `osls package` made. Prints one line, or prints all faults and exits 1.
 */

const root = resolve(import.meta.dirname, '../..');
const MAX_ZIP_BYTES = 700_000;

const faults: string[] = [];
const check = (holds: boolean, fault: string): void => {
  if (!holds) faults.push(fault);
};

const text = readFileSync(join(root, '.serverless/cloudformation-template-update-stack.json'), 'utf8');
const deployed: unknown = JSON.parse(text);
const { Resources } = template.parse(deployed);

for (const fault of structureFaults(deployed)) check(false, fault);
for (const fault of organizationFaults(Resources)) check(false, fault);
checkTemplate();
await checkRoles();
const sizes: number[] = [];
for (const name of FUNCTIONS) sizes.push(await checkZip(name));

if (faults.length > 0) {
  process.stderr.write(`${faults.map((fault) => `package: ${fault}`).join('\n')}\n`);
  process.exitCode = 1;
} else {
  const kB = sizes.map((size, index) => `${FUNCTIONS[index]} ${Math.round(size / 1000)} kB`);
  process.stdout.write(`package: ${Object.keys(Resources).length} resources; ${kB.join(', ')}\n`);
}

function ofType(type: string): readonly (readonly [string, Resource])[] {
  return Object.entries(Resources).filter(([, resource]) => resource.Type === type);
}

function checkTemplate(): void {
  check(!/arn:aws[:-]/.test(text), 'a partition is written out: arn:aws');
  const functions = ofType('AWS::Lambda::Function');
  check(functions.length === FUNCTIONS.length, `${functions.length} functions, expected ${FUNCTIONS.length}`);
  const roles = new Set(functions.map(([, { Properties }]) => JSON.stringify(Properties['Role'])));
  check(roles.size === functions.length, 'two functions share a role');
  for (const [name, { Properties }] of functions) {
    check(Properties['Runtime'] === 'nodejs24.x', `${name} runs on ${String(Properties['Runtime'])}`);
    check(JSON.stringify(Properties['Environment'] ?? {}).includes('ROLLCALL_TABLE'), `${name} has no environment`);
  }
  check(!('IamRoleLambdaExecution' in Resources), 'the framework made a role for all functions');
  for (const [name, { Properties }] of ofType('AWS::Logs::LogGroup')) {
    check(Number(Properties['RetentionInDays']) > 0, `${name} keeps its lines for ever`);
  }
  const mappings = ofType('AWS::Lambda::EventSourceMapping');
  check(mappings.length === 1, `${mappings.length} event source mappings, expected 1`);
  for (const [name, { Properties }] of mappings) {
    const { FunctionResponseTypes, ScalingConfig } = Properties;
    check(JSON.stringify(FunctionResponseTypes) === '["ReportBatchItemFailures"]', `${name} deletes what failed`);
    check(/"MaximumConcurrency":\d/.test(JSON.stringify(ScalingConfig ?? {})), `${name} has no maximum concurrency`);
  }
  for (const [name, { Properties }] of ofType('AWS::Lambda::Url')) {
    check(Properties['AuthType'] === 'AWS_IAM', `${name} is open to everybody`);
    check(Resources[name]?.Condition !== undefined, `${name} is made in partitions that have no function URLs, too`);
  }
  for (const [name, { Properties }] of ofType('AWS::Lambda::Permission')) {
    check(Properties['Principal'] !== '*', `${name} lets everybody in`);
  }
  for (const type of [
    'AWS::DynamoDB::Table',
    'AWS::Scheduler::Schedule',
    'AWS::Events::Archive',
    'AWS::SQS::QueuePolicy',
  ]) {
    check(ofType(type).length === 1, `${ofType(type).length} of ${type}, expected 1`);
  }
}

async function checkRoles(): Promise<void> {
  for (const [name, resource] of ofType('AWS::IAM::Role')) {
    const actions = actionsOf(statementsOf(resource));
    for (const action of actions) check(!action.includes('*'), `${name} allows ${action}`);
    const owner = FUNCTIONS.find((each) => name === `${each[0]?.toUpperCase()}${each.slice(1)}Role`);
    if (owner === undefined) continue;
    const called = await callsOf(owner);
    for (const action of actions) {
      check(called.has(action) || ON_BEHALF.has(action), `${name} allows ${action}, which ${owner} never calls`);
    }
  }
}

/**
 * Checks the content of a handler's zip, and that the handler can be imported without side effects.
 * @returns the size of the zip
 */
async function checkZip(name: string): Promise<number> {
  const zip = join(root, `.serverless/${name}.zip`);
  const size = statSync(zip).size;
  check(size < MAX_ZIP_BYTES, `${name}.zip has ${size} bytes, expected less than ${MAX_ZIP_BYTES}`);
  const directory = mkdtempSync(join(tmpdir(), 'rollcall-package-'));
  try {
    const unzip = spawnSync(process.execPath, [join(import.meta.dirname, 'unzip.ts'), zip, directory], {
      encoding: 'utf8',
    });
    check(unzip.status === 0, `${name}.zip cannot be read: ${unzip.stderr}`);
    check(existsSync(join(directory, 'infra/policy.yaml')), `${name}.zip has no policy`);
    for (const fault of contentFaults(name, directory, await rebuilt(name))) check(false, fault);
    const script = `const m = await import(${JSON.stringify(join(directory, `services/${name}/handler.mjs`))});
      process.stdout.write(typeof m.handler);`;
    // Without any environment: importing must not read it.
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: {} });
    check(
      run.stdout === 'function' && run.stderr === '',
      `${name} cannot be imported: ${run.stdout}${run.stderr.slice(-500)}`,
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return size;
}
