const LONGEST_WALK = 64;

/**
 * What a value roughly weighs in memory, in bytes. It looks at no more than 64 parts and reckons the rest of a long array by
 * the mean of those it saw: a bound needs the order of magnitude, at a cost that does not grow with the message.
 */
export function estimateBytes(value: unknown): number {
  try {
    return weigh(value, { left: LONGEST_WALK });
  } catch {
    // An object that cannot be looked at; its handler will find out.
    return 1_024;
  }
}

function weigh(value: unknown, walk: { left: number }): number {
  walk.left--;
  switch (typeof value) {
    case 'string':
      return 16 + value.length * 2;
    case 'object':
      break;
    default:
      return 8;
  }
  if (value === null) return 8;
  if (ArrayBuffer.isView(value)) return 64 + value.byteLength;
  if (value instanceof ArrayBuffer) return 64 + value.byteLength;
  if (Array.isArray(value)) {
    let seen = 0;
    let bytes = 0;
    while (seen < value.length && walk.left > 0) bytes += weigh(value[seen++], walk);
    return 16 + (seen === 0 ? value.length * 8 : (bytes / seen) * value.length);
  }
  if (value instanceof Map || value instanceof Set) return 64 + value.size * 64;
  let bytes = 24;
  for (const key in value) {
    if (walk.left <= 0) return bytes * 2;
    bytes += 8 + weigh((value as Record<string, unknown>)[key], walk);
  }
  return bytes;
}
