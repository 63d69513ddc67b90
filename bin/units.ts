/** `1.2 MB`, of 1,000s. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `14 d 3 h`, `2 m 5 s`, `850 ms`: the two largest units. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return '-';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const parts: readonly (readonly [size: number, unit: string])[] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1_000, 's'],
  ];
  let left = ms;
  const words: string[] = [];
  for (const [size, unit] of parts) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) words.push(`${count} ${unit}`);
  }
  return words.slice(0, 2).join(' ');
}

const two = (part: number): string => String(part).padStart(2, '0');

/** `12:03:04.123`, in the reader's time zone. */
export function timeText(atMs: number): string {
  const at = new Date(atMs);
  if (Number.isNaN(at.getTime())) return '--:--:--.---';
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
/** As {@link timeText}, with the day. */
export function dateText(atMs: number): string {
  const at = new Date(atMs);
  if (Number.isNaN(at.getTime())) return '----------';
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${timeText(atMs)}`;
}
