import { ENROLLMENT_IDS } from '../../../shared/domain/enrollment/kinds/index.ts';

/** The filters of the accounts page, by their names in its address. An empty text means any value. */
export type Filters = Readonly<Record<(typeof FILTERS)[number], string>>;
export const FILTERS = ['q', 'status', 'ou', 'enrollment', 'reason', 'rule', 'changedBy'] as const;

/** `severity`: worst status first, then oldest. */
export const SORTS = ['severity', 'name', 'ou', ...ENROLLMENT_IDS, 'age'] as const;
export type Sort = (typeof SORTS)[number];

export interface AccountQuery {
  readonly filters: Filters;
  readonly sort: Sort;
  readonly down: boolean;
}

export function accountQuery(params: URLSearchParams): AccountQuery {
  const value = (name: keyof Filters): string => params.get(name) ?? '';
  return {
    filters: {
      q: value('q'),
      status: value('status'),
      ou: value('ou'),
      enrollment: value('enrollment'),
      reason: value('reason'),
      rule: value('rule'),
      changedBy: value('changedBy'),
    },
    sort: SORTS.find((each) => each === params.get('sort')) ?? 'severity',
    down: params.get('order') === 'down',
  };
}

/** Clears the filters in the address. */
export const CLEARED: Readonly<Record<(typeof FILTERS)[number], null>> = {
  q: null,
  status: null,
  ou: null,
  enrollment: null,
  reason: null,
  rule: null,
  changedBy: null,
};

/** The query of the API. */
export function apiQuery({ filters, sort, down }: AccountQuery): Readonly<Record<string, string>> {
  const { q, status, ...rest } = filters;
  return { ...rest, text: q, accountStatus: status, sort, order: down ? 'desc' : 'asc' };
}
