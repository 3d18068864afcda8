/** `json`: one document; `ndjson` and `ocsf`: one entry per line; `csv`: RFC 4180 with a header. */
export const EXPORT_FORMATS = ['json', 'csv', 'ndjson', 'ocsf'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
