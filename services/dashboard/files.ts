import type { DashboardFile } from './build.ts';

/**
 * The files of the dashboard. When run from the sources, they are built in a fraction of a second. In a bundle, `embedDashboard` replaces
 * this module with the built files, so no bundler is needed at run time.
 */
export async function dashboardFiles(): Promise<ReadonlyMap<string, DashboardFile>> {
  const { buildDashboard } = await import('./build.ts');
  return (await buildDashboard()).files;
}
