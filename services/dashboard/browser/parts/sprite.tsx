/* The status marks and icons, drawn once. `Mark` and `Icon` refer to them by id. */

/** Place it once in the page. */
export function Sprite() {
  return (
    <svg class="sprite" aria-hidden="true">
      <symbol id="m-compliant" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="7" fill="currentColor" />
        <path
          d="m4.8 8.2 2.2 2.2 4.2-4.6"
          stroke="var(--surface)"
          fill="none"
          stroke-linecap="round"
          stroke-linejoin="round"
          stroke-width="1.8"
        />
      </symbol>
      <symbol id="m-attention" viewBox="0 0 16 16">
        <path d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z" fill="currentColor" />
        <path
          d="M8 4.3v4.6M8 11.6v.1"
          stroke="var(--surface)"
          fill="none"
          stroke-linecap="round"
          stroke-linejoin="round"
          stroke-width="2"
        />
      </symbol>
      <symbol id="m-drifted" viewBox="0 0 16 16">
        <path d="M8 1.6 15.3 14.4H.7z" fill="currentColor" stroke="currentColor" stroke-linejoin="round" />
      </symbol>
      <symbol id="m-progress" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="6.1" fill="none" stroke="currentColor" stroke-width="1.8" />
        <path d="M8 4v8a4 4 0 0 0 0-8z" fill="currentColor" />
      </symbol>
      <symbol id="m-waiting" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="6.1" fill="none" stroke="currentColor" stroke-width="1.8" />
        <path d="M8 4.6V8l2.3 1.6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" />
      </symbol>
      <symbol id="m-unknown" viewBox="0 0 16 16">
        <path
          d="M5 5.6A3 3 0 1 1 9.2 8.3C8.3 8.8 8 9.3 8 10.2M8 13.2v.2"
          fill="none"
          stroke="currentColor"
          stroke-width="2"
          stroke-linecap="round"
        />
      </symbol>
      <symbol id="m-suspended" viewBox="0 0 16 16">
        <path d="M5 3v10M11 3v10" stroke="currentColor" stroke-width="3" />
      </symbol>
      <symbol id="m-exempt" viewBox="0 0 16 16">
        <path
          d="M8 1.6 13.6 4v4c0 3.4-2.4 5.4-5.6 6.5C4.8 13.4 2.4 11.4 2.4 8V4z"
          fill="none"
          stroke="currentColor"
          stroke-width="1.6"
          stroke-linejoin="round"
        />
      </symbol>
      <symbol id="m-unmanaged" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.8" stroke-dasharray="2.6 2.1" />
      </symbol>
      <symbol id="m-na" viewBox="0 0 16 16">
        <path d="M3.5 8h9" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
      </symbol>
      <symbol id="i-overview" viewBox="0 0 16 16">
        <path d="M2 9.5 8 3l6 6.500M4 8v5.500h8V8" />
      </symbol>
      <symbol id="i-accounts" viewBox="0 0 16 16">
        <path d="M2 4h12M2 8h12M2 12h12" />
      </symbol>
      <symbol id="i-runs" viewBox="0 0 16 16">
        <path d="M13.5 8A5.5 5.5 0 1 1 11.6 3.900M13.5 2v3h-3" />
      </symbol>
      <symbol id="i-audit" viewBox="0 0 16 16">
        <path d="M4 1.500h6l3 3v10H4zM6.5 7h4M6.5 10h4" />
      </symbol>
      <symbol id="i-policy" viewBox="0 0 16 16">
        <path d="M5.5 3C4 3 4.5 6.5 2.5 8 4.5 9.5 4 13 5.5 13M10.5 3c1.5 0 1 3.5 3 5-2 1.5-1.5 5-3 5" />
      </symbol>
      <symbol id="i-ops" viewBox="0 0 16 16">
        <path d="M1.5 9h3L6.5 3l3 10 2-4h3" />
      </symbol>
      <symbol id="i-more" viewBox="0 0 16 16">
        <path d="M3 8h.1M8 8h.1M13 8h.1" stroke-width="2.4" />
      </symbol>
      <symbol id="i-search" viewBox="0 0 16 16">
        <circle cx="7" cy="7" r="4.5" />
        <path d="m10.5 10.5 3.5 3.5" />
      </symbol>
      <symbol id="i-theme" viewBox="0 0 16 16">
        <circle cx="8" cy="8" r="5.5" />
        <path d="M8 2.500v11a5.5 5.5 0 0 0 0-11z" fill="currentColor" />
      </symbol>
      <symbol id="i-copy" viewBox="0 0 16 16">
        <path d="M5.5 5.500h8v8h-8zM3 10.500H2.500v-8h8V3" />
      </symbol>
      <symbol id="i-out" viewBox="0 0 16 16">
        <path d="M6 3H3v10h10v-3M9 2.500h4.500V7M13.5 2.5 7.5 8.5" />
      </symbol>
      <symbol id="i-down" viewBox="0 0 16 16">
        <path d="M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.500h11" />
      </symbol>
      <symbol id="i-x" viewBox="0 0 16 16">
        <path d="m4 4 8 8M12 4l-8 8" />
      </symbol>
      <symbol id="i-plus" viewBox="0 0 16 16">
        <path d="M8 3v10M3 8h10" />
      </symbol>
      <symbol id="i-chev" viewBox="0 0 16 16">
        <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />
      </symbol>
      <symbol id="i-right" viewBox="0 0 16 16">
        <path d="m6.5 4.5 3.5 3.5-3.5 3.5" />
      </symbol>
      <symbol id="i-stop" viewBox="0 0 16 16">
        <path d="M4 4h8v8H4z" />
      </symbol>
      <symbol id="i-cols" viewBox="0 0 16 16">
        <path d="M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10" />
      </symbol>
    </svg>
  );
}
