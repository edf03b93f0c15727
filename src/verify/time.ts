/** UTC, RFC 3339, six fractional digits, `Z` (contract §4). The server keeps milliseconds; the rest is zeros. */
export function formatTime(millis: number): string {
  return `${new Date(millis).toISOString().slice(0, -1)}000Z`;
}
