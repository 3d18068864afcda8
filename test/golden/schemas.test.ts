import { expect, test } from 'vitest';
import * as z from 'zod';
import { DOCUMENTS } from '../services/cli/shapes.ts';

/* Scripts rely on these documents: a change of a schema shows as a change of its file. Update the files with `npx vitest run test/golden -u`. */

test.each(Object.entries(DOCUMENTS))('the JSON Schema of %s is the committed one', async (name, schema) => {
  const text = `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot(`schemas/${name}.json`);
});
