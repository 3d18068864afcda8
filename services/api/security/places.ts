import { ApiProblem } from '../problem.ts';

/** Limits on simultaneous connections. */
export interface PlaceLimits {
  readonly total: number;
  /** Connections of one address. Must be `total` if all clients share one address (loopback). */
  readonly perAddress: number;
  /** How many places of `total` and `perAddress` only urgent requests may use. */
  readonly reserve: number;
  /** Admitted requests of one client at the same time, over all its connections. */
  readonly perClient: number;
}

export const PLACES: PlaceLimits = { total: 500, perAddress: 200, reserve: 20, perClient: 100 };

/** A connection. When it closes, everything that it holds is released. */
export interface Place {
  /** Call it when a request arrives: the connection counts as the most recently used, so the other idle ones are closed first. */
  touch(): void;
  /** Call it when an admitted request begins. @returns a function to call when it ends (safe to call twice) @throws ApiProblem 503 */
  hold(client: string, urgent: boolean): () => void;
  /** Call it when the connection has closed. */
  leave(): void;
}

interface Holding {
  readonly client: string;
  readonly urgent: boolean;
}

interface Seat {
  readonly group: Group;
  readonly close: () => void;
  readonly holdings: Set<Holding>;
}

/** Connections from one address. */
interface Group {
  readonly address: string;
  readonly all: Set<Seat>;
  /** Connections without an admitted request, oldest last request first. */
  readonly idle: Set<Seat>;
}

/**
 * Decides which connection is closed when there are more connections than places. A connection keeps its place while an admitted request is under way
 * on it. All other connections are idle: if a place is needed, the longest idle one is closed, first of the same address, then of the address with the
 * most idle connections. Ordinary requests never hold the reserve, so a new connection gets a place unless urgent requests hold all of it.
 */
export class Places {
  readonly #limits: PlaceLimits;
  readonly #groups = new Map<string, Group>();
  readonly #held = { total: 0, byAddress: new Map<string, number>(), byClient: new Map<string, number>() };
  #open = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** @returns `null` if every place is held; the caller then closes the connection */
  open(address: string, close: () => void): Place | null {
    const group = this.#groups.get(address) ?? { address, all: new Set(), idle: new Set() };
    const { total, perAddress } = this.#limits;
    if (group.all.size >= perAddress && !this.#evict(group)) return null;
    if (this.#open >= total && !this.#evict(this.#mostIdle())) return null;
    this.#groups.set(address, group);
    const seat: Seat = { group, close, holdings: new Set() };
    group.all.add(seat);
    group.idle.add(seat);
    this.#open += 1;
    return {
      touch: () => {
        if (group.idle.delete(seat)) group.idle.add(seat);
      },
      hold: (client, urgent) => this.#hold(seat, { client, urgent }),
      leave: () => this.#leave(seat),
    };
  }

  #hold(seat: Seat, holding: Holding): () => void {
    const { client, urgent } = holding;
    const { address, all, idle } = seat.group;
    // The connection has closed while the request was checked.
    if (!all.has(seat)) return () => undefined;
    if (!urgent) this.#assertRoom(address, client);
    seat.holdings.add(holding);
    idle.delete(seat);
    if (!urgent) this.#count(address, client, 1);
    return () => this.#release(seat, holding);
  }

  #assertRoom(address: string, client: string): void {
    const { total, perAddress, reserve, perClient } = this.#limits;
    const full =
      this.#held.total >= total - reserve ||
      (this.#held.byAddress.get(address) ?? 0) >= perAddress - reserve ||
      (this.#held.byClient.get(client) ?? 0) >= perClient;
    if (!full) return;
    throw new ApiProblem(503, 'Busy', 'Too many requests are under way; retry in 1 s.', {
      headers: { 'retry-after': '1' },
    });
  }

  #release(seat: Seat, holding: Holding): void {
    if (!seat.holdings.delete(holding)) return;
    const { address, all, idle } = seat.group;
    if (!holding.urgent) this.#count(address, holding.client, -1);
    if (seat.holdings.size === 0 && all.has(seat)) idle.add(seat);
  }

  #count(address: string, client: string, more: 1 | -1): void {
    this.#held.total += more;
    add(this.#held.byAddress, address, more);
    add(this.#held.byClient, client, more);
  }

  #leave(seat: Seat): void {
    const { address, all, idle } = seat.group;
    if (!all.delete(seat)) return;
    idle.delete(seat);
    this.#open -= 1;
    for (const holding of seat.holdings) this.#release(seat, holding);
    if (all.size === 0) this.#groups.delete(address);
  }

  #evict(group: Group | null): boolean {
    const [oldest] = group?.idle ?? [];
    if (oldest === undefined) return false;
    this.#leave(oldest);
    oldest.close();
    return true;
  }

  #mostIdle(): Group | null {
    let most: Group | null = null;
    for (const group of this.#groups.values()) if (group.idle.size > (most?.idle.size ?? 0)) most = group;
    return most;
  }
}

function add(counts: Map<string, number>, key: string, more: number): void {
  const count = (counts.get(key) ?? 0) + more;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

/** The key by which addresses are counted. For IPv6 the first 64 bits, because a client usually has a whole /64 network [RFC 4291 2.5.4]. */
export function addressGroup(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) return 'unknown';
  const [address = ''] = remoteAddress.toLowerCase().split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':') || address === '::1') return address;
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0');
  return `${[...before, ...zeros, ...after].slice(0, 4).join(':')}::/64`;
}
