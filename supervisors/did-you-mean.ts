/**
 * The candidate that was probably meant: at most one slip of the keyboard in three letters, and never a wholly different word.
 * Undefined when nothing is near.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  let best: { readonly name: string; readonly slips: number } | undefined;
  // What nobody types by hand is not compared: the work grows with the square of the length.
  if (word.length > 64) return undefined;
  for (const name of candidates) {
    const most = Math.max(1, Math.floor(Math.max(word.length, name.length) / 3));
    if (Math.abs(word.length - name.length) > most) continue;
    const slips = slipsBetween(word.toLowerCase(), name.toLowerCase());
    if (slips <= most && slips < name.length && (best === undefined || slips < best.slips)) best = { name, slips };
  }
  return best?.name;
}

/** Damerau–Levenshtein (optimal string alignment): a letter too many, too few, another one, or two swapped. */
function slipsBetween(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let least = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        least = Math.min(least, (before[column - 2] ?? 0) + 1);
      current[column] = least;
    }
    before = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
