import type { HelpTexts } from '../help-text.ts';

export const GET_STARTED: HelpTexts = {
  demo: {
    summary: 'Watch a simulated organization become compliant; no AWS needed',
    description:
      'Watch a simulated organization of 500 accounts become compliant, then serve its dashboard until Ctrl-C. Needs no AWS account and no configuration.',
    examples: [
      ['rollcall demo', 'run it, then open http://127.0.0.1:4800'],
      ['rollcall demo --tour', 'also suggest what to look at, step by step'],
      ['rollcall demo --once', 'end after the summary'],
    ],
    seeAlso: ['rollcall sandbox'],
  },
  doctor: {
    summary: 'Check credentials and permissions, and show how to fix them',
    description:
      'Check credentials, organization, roles and stores, and show the command that fixes each problem. Changes nothing.',
    examples: [
      ['rollcall doctor', 'check this machine and AWS'],
      ['rollcall doctor --sample 20', 'test the role in 20 accounts'],
      ['rollcall doctor --store aws', 'check the table and the queues as well'],
    ],
    seeAlso: ['rollcall policy init', 'rollcall help environment'],
  },
  policy: {
    summary: 'Write and check a policy: init, validate, explain, test, schema',
    description: 'Write a policy that declares the enrollments of every account, check it, and see what it decides.',
    examples: [
      ['rollcall policy init', 'write rollcall.yaml from the organization'],
      ['rollcall policy validate', 'check it, without AWS'],
      ['rollcall policy explain 123456789012', 'show which rules decide an account'],
    ],
    seeAlso: ['rollcall plan'],
  },
  'policy init': {
    summary: 'Write a policy that describes the organization as it is now',
    description:
      'Write a policy that describes the organization as it is now, as a start for your own. Reads AWS, changes nothing there.',
    examples: [
      ['rollcall policy init', 'write rollcall.yaml'],
      ['rollcall policy init --out -', 'print it instead'],
      ['rollcall policy init --force', 'replace an existing rollcall.yaml'],
    ],
    seeAlso: ['rollcall policy validate', 'rollcall plan'],
  },
  'policy validate': {
    summary: 'Check a policy file',
    description: 'Check a policy file. Needs no AWS credentials.',
    examples: [
      ['rollcall policy validate', 'check rollcall.yaml in this folder'],
      ['rollcall policy validate - < prod.yaml', 'check a policy from stdin'],
      ['rollcall policy validate -o json', 'findings with file, line and column'],
    ],
    seeAlso: ['rollcall policy test', 'rollcall policy schema'],
  },
  'policy explain': {
    summary: 'Show what the policy declares for one account, and which rules decide',
    examples: [
      ['rollcall policy explain 123456789012', 'every rule, and those that decide'],
      ['rollcall policy explain prod-search-003', 'the same, by the name of the account'],
      [`rollcall policy explain --attributes '{"ou":"/Sandbox"}'`, 'an account that does not exist'],
    ],
    seeAlso: ['rollcall account', 'rollcall policy test'],
  },
  'policy test': {
    summary: 'Test a policy against its expectations file',
    description: 'Test a policy against its expectations file. Needs no AWS credentials.',
    examples: [
      ['rollcall policy test', 'rollcall.yaml with rollcall.test.yaml'],
      ['rollcall policy test prod.yaml', 'prod.yaml with prod.test.yaml'],
    ],
    seeAlso: ['rollcall policy schema --expectations'],
  },
  'policy schema': {
    summary: 'Print the JSON Schema of policy files, for editors',
    examples: [
      ['rollcall policy schema > rollcall.schema.json', 'the schema of policies'],
      ['rollcall policy schema --expectations', 'the schema of expectations files'],
    ],
    seeAlso: ['rollcall policy validate'],
  },
};
