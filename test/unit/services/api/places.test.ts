import { describe, expect, test } from 'vitest';
import { addressGroup, Places } from '../../../../services/api/security/places.ts';

function open(places: Places, address: string) {
  const seen = { closed: false };
  const place = places.open(address, () => {
    seen.closed = true;
  });
  return { place, seen };
}

describe('places of connections', () => {
  test('where all are taken, the address that has most idle ones loses its oldest', () => {
    const places = new Places({ total: 5, perAddress: 5, reserve: 1, perClient: 5 });
    const quiet = open(places, 'a');
    const crowd = Array.from({ length: 4 }, () => open(places, 'b'));
    expect(open(places, 'c').place).not.toBeNull();
    expect([quiet, ...crowd].map(({ seen }) => seen.closed)).toEqual([false, true, false, false, false]);
  });

  test('what holds its place is not closed; when all are held, nobody new gets in', () => {
    const places = new Places({ total: 2, perAddress: 2, reserve: 0, perClient: 5 });
    const all = [open(places, 'a'), open(places, 'a')];
    const [release] = all.map(({ place }) => place?.hold('anna', false));
    expect(open(places, 'a').place).toBeNull();
    expect(open(places, 'b').place).toBeNull();
    release?.();
    release?.();
    expect(open(places, 'b').place).not.toBeNull();
    expect(all.map(({ seen }) => seen.closed)).toEqual([true, false]);
  });

  test('held places of one address, of one client and of all end short of the reserve, which is for what is urgent', () => {
    const places = new Places({ total: 6, perAddress: 4, reserve: 2, perClient: 3 });
    const at = (address: string) => open(places, address).place;
    at('a')?.hold('anna', false);
    at('a')?.hold('ben', false);
    const third = at('a');
    expect(() => third?.hold('ben', false)).toThrow('Too many requests are under way');
    expect(() => third?.hold('ben', true)).not.toThrow();
    at('b')?.hold('anna', false);
    const last = at('b');
    last?.hold('anna', false);
    expect(() => at('c')?.hold('anna', false)).toThrow('Too many requests are under way');
    last?.leave();
    expect(() => at('c')?.hold('carl', false)).not.toThrow();
    expect(() => at('c')?.hold('carl', true)).not.toThrow();
  });

  test('several requests on one connection hold it until the last of them ends, or it closes', () => {
    const places = new Places({ total: 1, perAddress: 1, reserve: 0, perClient: 2 });
    const { place, seen } = open(places, 'a');
    const releases = [place?.hold('anna', true), place?.hold('anna', true)];
    releases[0]?.();
    expect(open(places, 'b').place).toBeNull();
    place?.leave();
    expect(seen.closed).toBe(false);
    const next = open(places, 'b').place;
    expect(next).not.toBeNull();
    releases[1]?.();
    expect(() => next?.hold('anna', true)).not.toThrow();
    // Closed while it was looked at: it keeps nothing.
    expect(() => place?.hold('anna', false)()).not.toThrow();
  });
});

test.each([
  [undefined, 'unknown'],
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::1', '::1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::5', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('the address %s counts as %s', (address, group) => {
  expect(addressGroup(address)).toBe(group);
});
