import type { DashboardFile } from './build.ts';

/**
 * The dashboard's files, for whoever serves them. From the sources they are built anew, in a fraction of a second; a bundle has in place of
 * this module what was built with it (`embedDashboard`), and needs no bundler.
 */
export async function dashboardFiles(): Promise<ReadonlyMap<string, DashboardFile>> {
  const { buildDashboard } = await import('./build.ts');
  return (await buildDashboard()).files;
}
