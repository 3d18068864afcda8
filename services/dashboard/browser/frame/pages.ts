/** A page in the navigation. */
export interface Page {
  readonly href: string;
  readonly title: string;
  readonly icon: 'overview' | 'accounts' | 'runs' | 'audit' | 'policy' | 'ops';
  /** The key after `G` that opens it. */
  readonly key: string;
  /** The page of one item of its list, if it has one. */
  readonly item?: string;
  /** In a narrow window it is behind "More". */
  readonly more: boolean;
}

export const PAGES: readonly Page[] = [
  { href: '/', title: 'Overview', icon: 'overview', key: 'o', more: false },
  { href: '/accounts', title: 'Accounts', icon: 'accounts', key: 'a', item: '/account', more: false },
  { href: '/runs', title: 'Runs', icon: 'runs', key: 'r', item: '/run', more: false },
  { href: '/audit', title: 'Audit log', icon: 'audit', key: 'l', more: false },
  { href: '/policy', title: 'Policy', icon: 'policy', key: 'p', more: true },
  { href: '/operations', title: 'Operations', icon: 'ops', key: 's', more: true },
];
