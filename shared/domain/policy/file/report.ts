import type { Place } from '../types.ts';
import { type Finding, type Path, renderPath } from './findings.ts';

export const START: Place = { line: 1, column: 1 };

export type Complaint = Pick<Finding, 'message' | 'found' | 'expected' | 'hint'>;
/** Records one finding at a position and path. */
export type Report = (place: Place, path: Path, complaint: Complaint) => void;

export function reporter(file: string, into: Finding[], severity: Finding['severity'] = 'error'): Report {
  return (place, path, complaint) => {
    into.push({ severity, file, line: place.line, column: place.column, path: renderPath(path), ...complaint });
  };
}
