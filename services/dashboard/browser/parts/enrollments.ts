import { type EnrollmentId, kindsInUse, TITLES } from '../../../../shared/domain/enrollment/kinds/index.ts';

/** The enrollments that a filter offers: those in use, and the one in the page's address, because it explains why the list is empty. */
export function enrollmentOptions(
  chosen: string,
  isInUse: (id: EnrollmentId) => boolean,
): readonly (readonly [id: string, title: string])[] {
  return kindsInUse((id) => id === chosen || isInUse(id)).map(({ id }) => [id, TITLES[id]]);
}
