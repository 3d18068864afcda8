import { useRef, useState } from 'preact/hooks';

/** The auditor's input. */
export interface Given {
  readonly file: File;
  /** Empty: none. */
  readonly key: string;
  /** A checkpoint from an earlier time; empty: none. */
  readonly kept: string;
}

/** More than any checkpoint needs: a signed note has less than 4 KB. */
const MAX_CHECKPOINT_BYTES = 1024 * 1024;

interface ChooserProps {
  readonly busy: boolean;
  readonly onVerify: (given: Given) => Promise<void>;
}

/** The ZIP file, the public key and an earlier checkpoint. Verification begins when the file is chosen. */
export function Chooser({ busy, onVerify }: ChooserProps) {
  const [file, setFile] = useState<File | null>(null);
  const [key, setKey] = useState('');
  const [kept, setKept] = useState('');
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const take = (files: FileList | null | undefined): void => {
    const chosen = files?.[0];
    if (chosen === undefined) return;
    setFile(chosen);
    void onVerify({ file: chosen, key, kept });
  };
  return (
    <form
      class="panel chooser"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
      onSubmit={(event) => {
        event.preventDefault();
        if (file === null) input.current?.click();
        else void onVerify({ file, key, kept });
      }}
    >
      <div class={over ? 'drop over' : 'drop'}>
        <label for="zip">Evidence (ZIP file)</label>
        <input
          id="zip"
          ref={input}
          type="file"
          accept=".zip,application/zip"
          aria-describedby="zip-note"
          onChange={(event) => take(event.currentTarget.files)}
        />
        <p id="zip-note" class="muted">
          Choose the ZIP file itself, or drop it here. A browser does not let a page read the files next to it.
        </p>
      </div>
      <div class="key">
        <label for="key">Public key of the log</label>
        <textarea
          id="key"
          rows={3}
          spellcheck={false}
          autocomplete="off"
          aria-describedby="key-note"
          placeholder="name+id+key, or -----BEGIN PUBLIC KEY-----"
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
        <p id="key-note" class="muted">
          Paste the key that the owner of the log sent you separately. Without it, the page uses the key in the ZIP
          file. That key shows that the evidence is consistent, but not who made it.
        </p>
      </div>
      <KeptCheckpoint text={kept} onChange={setKept} />
      <button type="submit" class="btn primary" disabled={busy}>
        {file === null ? 'Choose a file' : 'Verify again'}
      </button>
    </form>
  );
}

interface KeptProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
}

/** A field for a checkpoint. Choosing a file copies its text into the field. */
function KeptCheckpoint({ text, onChange }: KeptProps) {
  const take = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) onChange(await file.slice(0, MAX_CHECKPOINT_BYTES).text());
  };
  return (
    <div class="key">
      <label for="kept">Checkpoint that you kept (optional)</label>
      <textarea
        id="kept"
        rows={5}
        spellcheck={false}
        autocomplete="off"
        aria-describedby="kept-note"
        placeholder="rollcall/o-…"
        value={text}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
      <div class="file">
        <label for="kept-file">Or choose its file</label>
        <input id="kept-file" type="file" onChange={(event) => void take(event.currentTarget.files?.[0])} />
      </div>
      <p id="kept-note" class="muted">
        A signed checkpoint from an earlier time, such as the one in evidence that you verified before (log/checkpoint).
        The page verifies that the log still has every entry that it covers.
      </p>
    </div>
  );
}
