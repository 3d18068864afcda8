import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { FAULTS } from './faults.ts';

/*
 * `node --import ./test/simulation/with-fault.ts …` with ROLLCALL_SIMULATED_FAULT: applies a deliberate fault while sources are loaded.
 */

const name = process.env['ROLLCALL_SIMULATED_FAULT'];
const fault = FAULTS.find((each) => each.name === name);
if (fault === undefined)
  throw new Error(`there is no fault ${name}; there are ${FAULTS.map((each) => each.name).join(', ')}`);
const root = fileURLToPath(new URL('../../', import.meta.url));

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const path = url.startsWith(`file://`) ? fileURLToPath(url) : '';
    const edits = fault.edits.filter(({ file }) => path === `${root}${file}`);
    if (edits.length === 0) return loaded;
    let source = String(loaded.source);
    for (const { file, find, replace } of edits) {
      const parts = source.split(find);
      if (parts.length < 2) throw new Error(`fault ${fault.name}: its place is not in ${file} any more: ${find}`);
      source = parts.join(replace);
    }
    return { ...loaded, source };
  },
});
