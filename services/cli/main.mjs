// The entry point of a checkout. Uses only what old versions of Node have, so that they can run it and print the message.
const LEAST = 24;
const { node } = process.versions;

if (Number(node.split('.')[0]) < LEAST) {
  process.stderr.write(
    `rollcall needs Node.js ${LEAST} or newer; this is ${node}. After npm ci, npm run rollcall -- COMMAND uses the Node.js of the checkout.\n`,
  );
  process.exitCode = 1;
} else {
  await import('./checkout.mjs');
}
