import { useEffect, useState } from 'preact/hooks';
import { NOBODY_NAMED } from '../../../../shared/domain/actor.ts';
import { TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';
import { reasonWords } from '../../../../shared/domain/enrollment/reason-codes.ts';
import { type AccountQuery, CLEARED, FILTERS, type Filters, SORTS } from '../account-filters.ts';
import { READ } from '../endpoints.ts';
import { useStatus } from '../frame/source.ts';
import { enrollmentOptions } from '../parts/enrollments.ts';
import { FilterChip } from '../parts/filter-chip.tsx';
import { Button } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { useResource } from '../resource.ts';
import type { AccountsAnswer } from '../types.ts';
import { callerName, count, number } from '../words.ts';

type Facets = NonNullable<AccountsAnswer['facets']>;
type Change = (changes: Readonly<Record<string, string | null>>) => void;

interface Props {
  readonly query: AccountQuery;
  readonly change: Change;
  /** Read again when it changes. */
  readonly version: number;
  readonly total: number | null;
  readonly all: number | null;
}

/** Search, filters, how many accounts match, and the order. */
export function Tools({ query, change, version, total, all }: Props) {
  const facets = useResource<AccountsAnswer>(READ.accountFacets, version).data?.facets ?? null;
  const filtered = FILTERS.some((name) => query.filters[name] !== '');
  return (
    <search class="tools">
      <Search value={query.filters.q} onChange={(q) => change({ q })} />
      <Chips filters={query.filters} change={change} facets={facets} />
      {filtered && (
        <Button look="quiet" onClick={() => change(CLEARED)}>
          Clear
        </Button>
      )}
      <span class="right muted" role="status">
        {total === null || all === null
          ? ''
          : total === all
            ? count(all, 'account')
            : `${number(total)} of ${count(all, 'account')}`}
      </span>
      <SortChoice query={query} change={change} />
    </search>
  );
}

/** How long the reader pauses before the list is read, ms. */
const PAUSE_MS = 150;

function Search({ value, onChange }: { readonly value: string; readonly onChange: (text: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => onChange(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <label class="input search">
      <Icon name="search" />
      <span class="sr">Search by name, id, OU, rule or actor</span>
      <input
        type="search"
        placeholder="Name, id, OU, rule or actor"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <kbd class="drop-s">/</kbd>
    </label>
  );
}

interface ChipsProps {
  readonly filters: Filters;
  readonly change: Change;
  /** `null`: not read yet. */
  readonly facets: Facets | null;
}

function Chips({ filters, change, facets }: ChipsProps) {
  const statuses = useStatus().data?.statuses ?? null;
  const enrollments = enrollmentOptions(filters.enrollment, (id) =>
    Object.values(statuses?.[id] ?? {}).some((n) => n > 0),
  );
  const chip = (
    label: string,
    name: keyof Filters,
    options: readonly (readonly [string, string])[],
    more: string | undefined = undefined,
  ) => (
    <FilterChip
      {...{ label, options, value: filters[name], onChange: (to) => change({ [name]: to }) }}
      {...(more !== undefined && { class: more })}
    />
  );
  const counted = (values: Facets['ous'], text: (value: string) => string) =>
    values.map(({ value, count: n }) => [value, `${text(value)} (${number(n)})`] as const);
  return (
    <>
      {chip('OU', 'ou', units(facets?.ous ?? []))}
      {chip('Enrollment', 'enrollment', enrollments)}
      {chip('Reason', 'reason', counted(facets?.reasons ?? [], reasonOption))}
      {chip(
        'Rule',
        'rule',
        counted(facets?.rules ?? [], (rule) => rule),
        'drop-m',
      )}
      {chip('Changed by', 'changedBy', [
        ...counted(facets?.actors ?? [], callerName),
        [NOBODY_NAMED, callerName(NOBODY_NAMED)],
      ])}
    </>
  );
}

function reasonOption(code: string): string {
  const words = reasonWords(code)?.short ?? code;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Every OU that has accounts below it, with their number: `/A/B` belongs to `/A` as well. */
function units(ous: Facets['ous']): readonly (readonly [string, string])[] {
  const totals = new Map<string, number>();
  for (const { value, count: n } of ous)
    for (const each of ancestors(value)) totals.set(each, (totals.get(each) ?? 0) + n);
  return [...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([ou, n]) => [ou, `${ou} (${number(n)})`] as const);
}

/** `/A/B` has the ancestors `/A` and `/A/B`. */
function ancestors(ou: string): readonly string[] {
  const names = ou.split('/').filter((name) => name !== '');
  return ou === '/' ? ['/'] : names.map((_name, index) => `/${names.slice(0, index + 1).join('/')}`);
}

const SORT_WORDS: Readonly<Record<string, string>> = {
  ...TITLES,
  severity: 'worst first',
  name: 'name',
  ou: 'OU',
  age: 'oldest first',
  'age down': 'newest first',
};

function SortChoice({ query: { sort, down }, change }: Pick<Props, 'query' | 'change'>) {
  const value = sort === 'age' && down ? 'age down' : sort;
  const choose = (to: string): void => {
    const [by = '', order] = to.split(' ');
    change({ sort: by === 'severity' ? null : by, order: order ?? null });
  };
  return (
    <label class="btn quiet pick drop-m drop-s">
      <span aria-hidden="true">Sort: {SORT_WORDS[value]}</span>
      <Icon name="chev" />
      <select aria-label="Sort" value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {[...SORTS, 'age down'].map((each) => (
          <option key={each} value={each}>
            {SORT_WORDS[each]}
          </option>
        ))}
      </select>
    </label>
  );
}
