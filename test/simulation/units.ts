import type { Sandbox } from '../../services/sandbox/engine/sandbox.ts';
import { pathStep } from '../../shared/adapters/aws/cloud/organization-paths.ts';
import type { OrganizationalUnit } from '../../shared/domain/enrollment/model.ts';

/** The root and all OUs of the sandbox. Parents come before their children. */
export function unitsOf(sandbox: Sandbox): readonly OrganizationalUnit[] {
  const all = sandbox.organizationalUnits();
  const found: OrganizationalUnit[] = all.flatMap(({ id, parentId }) =>
    parentId === null ? [{ id, parentId, path: '/' }] : [],
  );
  // The loop also visits the children that it adds.
  for (const { id: parentId, path } of found) {
    for (const child of all.filter((each) => each.parentId === parentId))
      found.push({ id: child.id, parentId, path: `${path === '/' ? '' : path}/${pathStep(child.name)}` });
  }
  return found;
}

/** The ids of the root and of each OU on a path, from the root down. */
export function unitIdsOf(units: readonly OrganizationalUnit[], ou: string): readonly string[] {
  return units.flatMap(({ id, path }) => (path === '/' || `${ou}/`.startsWith(`${path}/`) ? [id] : []));
}
