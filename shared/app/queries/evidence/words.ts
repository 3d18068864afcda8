/** `1 entry`, `1,204 entries`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${String(n).replaceAll(/\B(?=(\d{3})+$)/g, ',')} ${n === 1 ? one : many}`;
}

/** `2026-12-09 06:12 UTC`. */
export function instant(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
