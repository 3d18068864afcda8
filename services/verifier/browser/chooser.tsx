import { useRef, useState } from 'preact/hooks';

interface ChooserProps {
  readonly busy: boolean;
  readonly onVerify: (file: File, key: string) => Promise<void>;
}

/** The ZIP file and the public key. Verification begins when the file is chosen. */
export function Chooser({ busy, onVerify }: ChooserProps) {
  const [file, setFile] = useState<File | null>(null);
  const [key, setKey] = useState('');
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const take = (files: FileList | null | undefined): void => {
    const chosen = files?.[0];
    if (chosen === undefined) return;
    setFile(chosen);
    void onVerify(chosen, key);
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
        else void onVerify(file, key);
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
      <button type="submit" class="btn primary" disabled={busy}>
        {file === null ? 'Choose a file' : 'Verify again'}
      </button>
    </form>
  );
}
