import { ApiProblem } from '../problem.ts';

/** How many connections are kept at the same time. */
export interface PlaceLimits {
  readonly total: number;
  /** Of one address; where all clients share one address (loopback), no less than `total`. */
  readonly perAddress: number;
  /** Of `total` and of `perAddress`: never taken by admitted requests, except by urgent ones. */
  readonly reserve: number;
  /** Admitted requests of one client under way, whichever connections they came on. */
  readonly perClient: number;
}

export const PLACES: PlaceLimits = { total: 500, perAddress: 200, reserve: 20, perClient: 100 };

/** A connection; what it holds is let go when it closes. */
export interface Place {
  /** A request arrives: of the connections that hold nothing this is now the youngest. */
  touch(): void;
  /**
   * An admitted request begins: the connection is not closed to admit another one until the request ends.
   * @param urgent it may use the reserve
   * @returns what ends it; twice is fine
   * @throws ApiProblem 503
   */
  hold(client: string, urgent: boolean): () => void;
  /** The connection is closed. */
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
  /** Those that hold nothing, in order of their last request. */
  readonly idle: Set<Seat>;
}

/**
 * Who gets a place when there are more connections than places. A connection holds its place while an admitted request is under way on it.
 * All others (silent ones, refused ones, those kept alive) have theirs only until somebody else needs it: the one whose last request is the
 * longest ago is closed, first of the same address, then of the address that has most of them. So a new connection always gets in, unless
 * admitted requests hold every place; and because those never take the reserve, they cannot.
 */
export class Places {
  readonly #limits: PlaceLimits;
  readonly #groups = new Map<string, Group>();
  readonly #held = { total: 0, byAddress: new Map<string, number>(), byClient: new Map<string, number>() };
  #open = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** @returns `null`: every place is held; close it */
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
    // The connection may have closed while the request was looked at: nothing is to be kept of it.
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
    throw new ApiProblem(503, 'Busy', 'Too many requests are under way; come back in 1 s.', {
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

/**
 * The address that connections and refusals are counted for. Of IPv6 the first 64 bits: whoever has one address has the other 2^64 of its
 * network, too [RFC 4291 2.5.4].
 */
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
