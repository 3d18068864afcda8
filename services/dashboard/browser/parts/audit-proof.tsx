import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { download, post } from '../api.ts';
import { type AuditFilter, OPERATE, READ } from '../endpoints.ts';
import { announce } from '../frame/announce.tsx';
import type { Verification } from '../types.ts';
import { count, messageOf } from '../words.ts';
import { Confirm } from './dialog.tsx';
import { Button } from './form.tsx';
import { Icon, Pill } from './icon.tsx';
import { saveFile } from './save-file.ts';
import { Problem } from './small.tsx';
import { Age, Time } from './time.tsx';

interface IntegrityProps {
  readonly verification: Verification | null;
  readonly look: 'pill' | 'sentence';
}

/** Whether the audit log is intact: as a pill, or with the evidence in one sentence. */
export function Integrity({ verification, look }: IntegrityProps) {
  if (verification === null) return null;
  const { state, verifiedAt, entries, chains, faults, logProblems, digest, checkpoint, running } = verification;
  if (look === 'pill') {
    if (state === 'intact') return <Pill tone="compliant" mark="compliant" text="Intact" />;
    if (state === 'damaged') return <Pill tone="attention" mark="attention" text="Damaged" />;
    return <Pill tone="quiet" mark="na" text={running ? 'Being verified' : 'Not verified yet'} />;
  }
  return (
    <>
      {state === 'damaged' &&
        `${[...faults.map(({ chain, seq, message }) => `Chain ${chain}, entry ${seq}: ${message}`), ...logProblems].join('; ')}. `}
      {verifiedAt !== null && (
        <>
          {count(entries ?? 0, 'entry', 'entries')} in {count(chains ?? 0, 'chain')} verified{' '}
          <Age iso={verifiedAt} phrase />.{' '}
        </>
      )}
      {checkpoint !== null ? (
        <>
          Signed checkpoint <Time iso={checkpoint.at} zoned />: covers {count(checkpoint.size, 'entry', 'entries')}, key{' '}
          <span class="mono" title={`${checkpoint.origin}+${checkpoint.keyId}`}>
            {checkpoint.keyId}
          </span>
          {checkpoint.witnesses.length > 0 && `, ${count(checkpoint.witnesses.length, 'witness', 'witnesses')}`}
        </>
      ) : digest === null ? (
        'No signed checkpoint and no daily digest yet.'
      ) : (
        <>
          No signed checkpoint yet. Last digest <Time iso={digest.at} zoned />{' '}
          <span class="mono" title={digest.root}>
            {digest.root.slice(0, 8)}
          </span>
          {digest.outcome === 'matches' && ', matches'}
          {digest.outcome === 'differs' && ', differs from the audit log'}
        </>
      )}
    </>
  );
}

/** Saves the newest signed checkpoint: a copy that is kept elsewhere proves later that nothing was rewritten. */
export function DownloadCheckpoint({ verification }: { readonly verification: Verification | null }) {
  const checkpoint = verification?.checkpoint ?? null;
  if (checkpoint === null) return null;
  const name = `rollcall-checkpoint-${checkpoint.at.slice(0, 10)}-${checkpoint.size}.txt`;
  return (
    <Download path={READ.checkpoint} name={name} title="Keep it where people who can write the store cannot change it">
      Download checkpoint
    </Download>
  );
}

interface DownloadProps {
  readonly path: string;
  readonly name: string;
  readonly title: string;
  readonly look?: 'tiny';
  readonly children: ComponentChildren;
}

/** A button that saves a text of the API as a file. */
export function Download({ path, name, title, look, children }: DownloadProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const save = async (): Promise<void> => {
    setProblem(null);
    try {
      await saveFile(path, name, 'text/plain');
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <>
      <Problem text={problem} />
      <Button onClick={save} title={title} {...(look !== undefined && { look })}>
        {children}
      </Button>
    </>
  );
}

export function VerifyNow({ onDone }: { readonly onDone: () => void }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const verify = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const { state, entries } = await post<Verification>(OPERATE.verify, {});
      announce(
        `${count(entries ?? 0, 'entry', 'entries')} verified: the audit log is ${state === 'intact' ? 'intact' : 'damaged'}.`,
      );
      onDone();
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Problem text={problem} />
      <Button onClick={verify} disabled={busy}>
        {busy ? 'Verifying…' : 'Verify now'}
      </Button>
    </>
  );
}

const FORMATS = [
  ['csv', 'CSV', 'one row for each entry, for a spreadsheet', 'csv'],
  ['json', 'JSON', 'one document', 'json'],
  ['ndjson', 'NDJSON', 'one entry a line', 'ndjson'],
  ['ocsf', 'OCSF', 'for a security data lake', 'ocsf.ndjson'],
] as const;

/** Exports the entries that match the filters. A link to the API could not send the token, so the page downloads the file and then saves it. */
export function ExportEntries({ filter }: { readonly filter: AuditFilter }) {
  const [open, setOpen] = useState(false);
  const save = async (form: FormData): Promise<void> => {
    const chosen = FORMATS.find(([format]) => format === form.get('format')) ?? FORMATS[0];
    const [format, , , ending] = chosen;
    const address = URL.createObjectURL(await download(READ.export(filter, format)));
    const link = document.createElement('a');
    link.href = address;
    link.download = `rollcall-audit-${new Date().toISOString().slice(0, 10)}.${ending}`;
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <>
      <button type="button" class="btn" onClick={() => setOpen(true)}>
        <Icon name="down" />
        Export…
      </button>
      {open && (
        <Confirm
          title="Export the entries that match the filters"
          action="Export"
          onClose={() => setOpen(false)}
          onConfirm={save}
        >
          <fieldset class="formats">
            <legend class="sr">Format</legend>
            {FORMATS.map(([format, title, use], index) => (
              <label key={format}>
                <input type="radio" name="format" value={format} defaultChecked={index === 0} /> <b>{title}</b>{' '}
                <span class="muted">{use}</span>
              </label>
            ))}
          </fieldset>
        </Confirm>
      )}
    </>
  );
}
