import { useRef, useState } from 'preact/hooks';
import { Sprite } from '../../dashboard/browser/parts/sprite.tsx';
import { Chooser, type Given } from './chooser.tsx';
import { Result } from './result.tsx';
import { type Progress, type Verification, verifyEvidence } from './verify/verify.ts';

/** The page may be busy for this long before it shows the progress, ms. */
const BUSY_MS = 60;

export function App() {
  const [progress, setProgress] = useState<Progress | null>(null);
  const [result, setResult] = useState<Verification | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const runs = useRef(0);

  /** Only the latest run is shown. */
  const verify = async ({ file, key, kept }: Given): Promise<void> => {
    runs.current += 1;
    const run = runs.current;
    setResult(null);
    setProblem(null);
    setProgress({ what: 'Reading the file', share: 0 });
    let next = performance.now() + BUSY_MS;
    const turn = async (at: Progress): Promise<void> => {
      if (performance.now() < next) return;
      if (run === runs.current) setProgress(at);
      await new Promise((resolve) => setTimeout(resolve));
      next = performance.now() + BUSY_MS;
    };
    try {
      const verified = await verifyEvidence(new Uint8Array(await file.arrayBuffer()), { key, kept, turn });
      if (run === runs.current) setResult(verified);
    } catch (error) {
      if (run === runs.current) setProblem(problemOf(file, error));
    }
    if (run === runs.current) setProgress(null);
  };

  return (
    <main class="verifier">
      <Sprite />
      <h1>Verify Rollcall evidence</h1>
      <p class="lead">
        This page needs no network and sends nothing. It verifies a ZIP file that <code>rollcall evidence</code> wrote:
        every entry of the audit log in it, and the checkpoint that the owner of the log signed.
      </p>
      <Chooser busy={progress !== null} onVerify={verify} />
      <div role="status">{progress !== null && <Running {...progress} />}</div>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      {result !== null && <Result result={result} />}
    </main>
  );
}

function Running({ what, share }: Progress) {
  return (
    <div class="running">
      <p>{what}</p>
      <progress max={1} value={share} aria-label="Progress of the verification" />
    </div>
  );
}

function problemOf(file: File, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `${file.name} could not be verified: ${reason}. If it is very large, close other tabs and try again.`;
}
