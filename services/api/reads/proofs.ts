import * as z from 'zod';
import { checkpointReport } from '../../../shared/app/queries/audit/checkpoint.ts';
import { entryProof } from '../../../shared/app/queries/audit/proof.ts';
import { findEntry } from '../../../shared/app/queries/audit/show.ts';
import { NotYetProvableError } from '../../../shared/app/transparency/log-reader.ts';
import { accepts } from '../negotiation.ts';
import { ApiProblem } from '../problem.ts';
import { type AnswerTypes, NONE, streamRoute } from '../route.ts';

const JSON_TYPE = 'application/json';
const PLAIN = 'text/plain';
const PLAIN_TYPE = `${PLAIN}; charset=utf-8`;

/** What the routes for signed checkpoints and proofs answer with: JSON, or the text itself if the client accepts only text. */
const types = <N extends 'Checkpoint' | 'EntryProof'>(schema: N): AnswerTypes => ({
  [JSON_TYPE]: schema,
  [PLAIN_TYPE]: null,
});

interface Answer {
  readonly document: unknown;
  readonly text: string;
  readonly file: string;
}

function answer(headers: Headers, { document, text, file }: Answer): Response {
  const accepted = headers.get('accept');
  if (!accepts(accepted, PLAIN) || accepts(accepted, JSON_TYPE)) return Response.json(document);
  return new Response(text, {
    headers: { 'content-type': PLAIN_TYPE, 'content-disposition': `attachment; filename="${file}"` },
  });
}

export const proofRoutes = [
  streamRoute({
    method: 'get',
    path: '/api/audit/checkpoint',
    operationId: 'auditCheckpoint',
    summary: 'The newest signed checkpoint of the audit log; with Accept: text/plain the signed note alone',
    types: types('Checkpoint'),
    ...NONE,
    handle: async ({ system: { stores }, headers }) => {
      const { checkpoint, logSize, problems } = await checkpointReport(stores);
      if (checkpoint === null) {
        const [problem] = problems;
        const why =
          problem === undefined
            ? 'If a key is configured (ROLLCALL_CHECKPOINT_KEY), the next maintenance run signs the first one.'
            : `The last attempt failed: ${problem.message}`;
        throw new ApiProblem(404, 'CheckpointMissing', `No checkpoint has been signed. ${why}`);
      }
      const document = { ...checkpoint, logSize, problems };
      return answer(headers, { document, text: checkpoint.note, file: 'checkpoint.txt' });
    },
  }),
  streamRoute({
    method: 'get',
    path: '/api/audit/proof/{id}',
    operationId: 'auditProof',
    summary:
      'A proof that the newest signed checkpoint covers an entry of the audit log; with Accept: text/plain the C2SP tlog-proof alone',
    types: types('EntryProof'),
    ...NONE,
    params: z.strictObject({ id: z.string().min(1).max(200).describe("An entry's id, or its position: CHAIN#SEQ") }),
    handle: async ({ system: { stores }, params, headers }) => {
      const entry = await findEntry(stores.ledger, params.id);
      if (entry === null) throw new ApiProblem(404, 'EntryUnknown', 'The audit log has no such entry.');
      try {
        const document = await entryProof(stores, entry);
        return answer(headers, { document, text: document.proof, file: `proof-${entry.id}.txt` });
      } catch (error) {
        if (!(error instanceof NotYetProvableError)) throw error;
        throw new ApiProblem(409, 'EntryNotCovered', `${error.message} The next signed checkpoint covers it.`);
      }
    },
  }),
];
