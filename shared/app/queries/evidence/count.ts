/** `1 entry`, `1,204 entries`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${String(n).replaceAll(/\B(?=(\d{3})+$)/g, ',')} ${n === 1 ? one : many}`;
}
