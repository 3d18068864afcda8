import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { topicText } from '../../services/cli/help/topics.ts';
import { parse } from '../../services/cli/program.ts';
import { parsePolicy } from '../../shared/domain/policy/index.ts';
import { readDockerfile } from './dockerfile.ts';
import { read } from './template.ts';

const root = resolve(import.meta.dirname, '../..');
const { copied, image } = readDockerfile();
/** The user of distroless images that is not root. */
const NONROOT = 65_532;
const PORT = 4_800;

describe('the image', () => {
  it('is built only from files that exist and that reach the build', () => {
    const sources = copied.filter(({ from }) => from === null).flatMap((each) => each.sources);
    expect(sources.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const kept = read('infra/container/Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect(sources.map((path) => path.replace(/^\.\//, '')).sort()).toEqual([...kept].sort());
  });

  it('has everything that the build of the package reads', () => {
    const sources = copied.filter(({ from }) => from === null).flatMap((each) => each.sources);
    const named = [...read('services/cli/build.ts').matchAll(/'((?:infra|examples)[\w./-]*|[A-Z]+(?:\.md)?)'/g)].map(
      ([, path = '']) => path.split('/')[0],
    );
    expect(named.length).toBeGreaterThan(4);
    for (const path of named) expect(sources.map((source) => source.replace(/^\.\//, ''))).toContain(path);
  });

  it('has no shell, and does not run as root', () => {
    expect(image.base).toMatch(/^gcr\.io\/distroless\/nodejs24-[a-z0-9]+:nonroot$/);
    expect(image.user).toBe(`${NONROOT}:${NONROOT}`);
  });

  it('starts the packed command line with arguments that it knows', () => {
    expect(image.entryPoint).toEqual(['/nodejs/bin/node', '/opt/rollcall/bin.mjs']);
    expect(image.copied.map(({ target }) => target)).toEqual(['/opt/rollcall', '/data']);
    expect(() => parse(image.command, { write: () => undefined })).not.toThrow();
    expect(image.healthCheck).toEqual(['/nodejs/bin/node', '/opt/rollcall/infra/container/health-check.mjs']);
    expect(existsSync(join(root, 'infra/container/health-check.mjs'))).toBe(true);
  });

  it('keeps the store in a volume', () => {
    expect(image.volumes).toEqual([image.environment['ROLLCALL_DATA_DIR']]);
  });
});

const named = z.looseObject({ name: z.string() });
const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) }).loose();
const container = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(
    named.extend({
      value: z.string().optional(),
      valueFrom: z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) }).optional(),
    }),
  ),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  securityContext: z.unknown(),
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  resources: z.object({ requests: z.record(z.string(), z.string()), limits: z.record(z.string(), z.string()) }),
  volumeMounts: z.array(named.extend({ mountPath: z.string() })),
});
const pod = z.object({
  serviceAccountName: z.string(),
  terminationGracePeriodSeconds: z.number(),
  securityContext: z.looseObject({ runAsNonRoot: z.boolean(), runAsUser: z.number(), fsGroup: z.number().optional() }),
  containers: z.tuple([container]),
  volumes: z.array(
    z.looseObject({
      name: z.string(),
      configMap: named.optional(),
      persistentVolumeClaim: z.object({ claimName: z.string() }).optional(),
    }),
  ),
});
const object = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: named });
const deployment = z.object({
  spec: z.looseObject({
    replicas: z.number(),
    strategy: z.object({ type: z.string() }).optional(),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({
        labels: z.record(z.string(), z.string()),
        annotations: z.record(z.string(), z.string()),
      }),
      spec: pod,
    }),
  }),
});
const service = z.object({
  spec: z.looseObject({
    selector: z.record(z.string(), z.string()),
    ports: z.array(z.looseObject({ targetPort: z.string() })),
  }),
});
const rule = z.object({ ports: z.array(z.object({ port: z.union([z.string(), z.number()]) }).loose()) }).loose();
const networkPolicy = z.object({
  spec: z.object({
    podSelector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    policyTypes: z.array(z.string()),
    ingress: z.array(rule),
    egress: z.array(rule),
  }),
});
const configMap = z.object({ data: z.record(z.string(), z.string()) });

function objectsOf(path: string) {
  const documents = parseAllDocuments(read(path));
  expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
  const objects = documents.map((document) => object.parse(document.toJS()));
  const of = (kind: string) => objects.filter((each) => each.kind === kind);
  const [workload] = of('Deployment');
  return { of, workload: deployment.parse(workload).spec };
}

const EXAMPLES = readdirSync(join(root, 'infra/container')).filter((name) => name.startsWith('kubernetes-'));

describe.each(EXAMPLES)('infra/container/%s', (name) => {
  const { of, workload } = objectsOf(`infra/container/${name}`);
  const { spec, metadata } = workload.template;
  const [only] = spec.containers;

  it('names only objects that it declares, and the secret whose creation it shows', () => {
    expect(of('ServiceAccount').map((each) => each.metadata.name)).toEqual([spec.serviceAccountName]);
    const mapped = spec.volumes.flatMap((volume) => volume.configMap?.name ?? []);
    expect(of('ConfigMap').map((each) => each.metadata.name)).toEqual(mapped);
    const claimed = spec.volumes.flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []);
    expect(of('PersistentVolumeClaim').map((each) => each.metadata.name)).toEqual(claimed);
    expect(only.volumeMounts.map((mount) => mount.name)).toEqual(spec.volumes.map((volume) => volume.name));
    for (const { valueFrom } of only.env) {
      if (valueFrom === undefined) continue;
      const { name: secret, key } = valueFrom.secretKeyRef;
      expect(read(`infra/container/${name}`)).toContain(`secret generic ${secret} --from-literal=`);
      expect(read(`infra/container/${name}`)).toContain(` --from-literal=${key}=`);
    }
    for (const each of of('Service')) expect(service.parse(each).spec.selector).toEqual(metadata.labels);
    expect(workload.selector.matchLabels).toEqual(metadata.labels);
  });

  it('runs without root, privileges and a writable root file system', () => {
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: NONROOT });
    expect(spec.securityContext).toMatchObject({ seccompProfile: { type: 'RuntimeDefault' } });
    expect(only.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('says where Prometheus finds the metrics', () => {
    expect(metadata.annotations).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/path': '/metrics',
      'prometheus.io/port': String(PORT),
    });
  });

  it('reaches the API by the probes and the service', () => {
    expect(only.ports).toEqual([{ name: 'http', containerPort: PORT }]);
    for (const { httpGet } of [only.livenessProbe, only.readinessProbe, only.startupProbe]) {
      expect(httpGet.port).toBe('http');
      expect(['/openapi.json', '/api/health']).toContain(httpGet.path);
    }
    // An outage of the store must not restart the pods.
    expect(only.livenessProbe.httpGet.path).toBe('/openapi.json');
    for (const each of of('Service')) expect(service.parse(each).spec.ports).toMatchObject([{ targetPort: 'http' }]);
  });

  it('passes arguments and settings that serve knows, and a valid policy where the image reads it', () => {
    expect(() => parse(only.args, { write: () => undefined })).not.toThrow();
    const known = topicText('environment').join('\n');
    for (const { name: variable } of only.env) expect(known).toContain(`  ${variable} `);
    const place = image.environment['ROLLCALL_POLICY'] ?? '';
    const [policy] = of('ConfigMap').map((each) => configMap.parse(each).data);
    const mount = only.volumeMounts.find((each) => each.name === 'policy')?.mountPath ?? '';
    const text = policy?.[place.slice(mount.length + 1)] ?? expect.fail(`no file of the ConfigMap becomes ${place}`);
    expect(parsePolicy(text, { file: place, now: Date.UTC(2027, 0, 1) })).toMatchObject({ ok: true, warnings: [] });
  });

  it('limits the network of the pods to the API and what serve calls', () => {
    const [policy] = of('NetworkPolicy').map((each) => networkPolicy.parse(each).spec);
    const portsOf = (rules: readonly z.infer<typeof rule>[]) =>
      rules.flatMap(({ ports }) => ports.map(({ port }) => port));
    expect(policy?.podSelector.matchLabels).toEqual(metadata.labels);
    expect(policy?.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(portsOf(policy?.ingress ?? [])).toEqual(only.ports.map((each) => each.name));
    expect(portsOf(policy?.egress ?? [])).toEqual([53, 53, 443, 80]);
  });

  it('gives serve the time to stop', () => {
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(30);
  });

  it('mounts the store of one pod, or has none', () => {
    const data = only.volumeMounts.find((each) => each.name === 'data');
    const aws = only.args.includes('aws');
    expect(data?.mountPath).toBe(aws ? undefined : image.environment['ROLLCALL_DATA_DIR']);
    if (aws) return;
    expect(workload).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    expect(spec.securityContext.fsGroup).toBe(NONROOT);
  });
});
