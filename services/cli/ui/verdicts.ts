import { type FullSummary, fullSummary } from '../../../shared/app/plan/plan-document.ts';
import type { Summary } from '../../../shared/app/survey/assessment-table.ts';
import { VERDICTS, type Verdict } from '../../../shared/domain/enrollment/verdict.ts';
import type { Format, Style } from './output.ts';
import { table } from './table.ts';
import { number } from './words.ts';

const COLORS: Readonly<Partial<Record<Verdict, Format>>> = {
  Compliant: 'green',
  Drifted: 'yellow',
  Blocked: 'red',
  Stalled: 'red',
  Unknown: 'magenta',
  Converging: 'cyan',
};

export function paintVerdict(style: Style, text: string): string {
  const verdict = VERDICTS.find((each) => text.trim() === each);
  const color = verdict === undefined ? undefined : COLORS[verdict];
  return color === undefined ? text : style(color, text);
}

/** The order in which people look: what is well first, what is out of scope last. */
const ORDER: readonly Verdict[] = [
  'Compliant',
  'Drifted',
  'Converging',
  'Stalled',
  'Blocked',
  'Unknown',
  'Exempt',
  'Suspended',
  'Unmanaged',
  'NotApplicable',
];

/** Verdict counts per enrollment; with `after`, before → after. Verdicts that nobody has are left out. */
export function verdictTable(before: Summary, style: Style, after?: Summary): string[] {
  const first = fullSummary(before);
  const last = after === undefined ? null : fullSummary(after);
  const rows = ORDER.filter((verdict) => counted(first, verdict) || (last !== null && counted(last, verdict))).map(
    (verdict) => [
      verdict,
      ...(['computeOptimizer', 'automation'] as const).map((each) => cell(first, last, each, verdict)),
    ],
  );
  if (rows.length === 0) return ['No account has been looked at yet.'];
  const columns = [
    { title: 'VERDICT', paint: (text: string) => paintVerdict(style, text) },
    { title: 'COMPUTE OPTIMIZER', align: 'right' as const },
    { title: 'AUTOMATION', align: 'right' as const },
  ];
  return table(columns, rows, null);
}

function counted(summary: FullSummary, verdict: Verdict): boolean {
  return summary.computeOptimizer[verdict] + summary.automation[verdict] > 0;
}

function cell(
  before: FullSummary,
  after: FullSummary | null,
  enrollment: 'computeOptimizer' | 'automation',
  verdict: Verdict,
): string {
  const was = number(before[enrollment][verdict]);
  return after === null ? was : `${was} → ${number(after[enrollment][verdict])}`;
}
