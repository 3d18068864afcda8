/** Default values of options that several commands share, or that appear in the help as well as in the command. */
export const DEFAULT_PORT = 4800;
export const DEFAULT_HOST = '127.0.0.1';
/** The stage that `rollcall install` creates. */
export const DEFAULT_STAGE = 'prod';
/** The fraction of drifted accounts of a sandbox without a scenario, so that there is something to remediate. */
export const DEFAULT_DRIFT = 0.2;
