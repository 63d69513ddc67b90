/** Longer ones are made faster than they are found. */
const LONGEST = 24;
const SLOTS = 512;

/** Short texts that came before: the names of fields and the types of messages are always the same, and making one costs more than finding it. */
export class TextMemory {
  private readonly slots: string[] = new Array(SLOTS).fill('');
  private readonly areNames: boolean;

  constructor(areNames: boolean) {
    this.areNames = areNames;
  }

  find(bytes: Uint8Array, from: number, length: number): string | undefined {
    if (length === 0) return '';
    if (length > LONGEST) return undefined;
    const known = this.slots[slotOf(bytes, from, length)] as string;
    if (known.length !== length) return undefined;
    for (let index = 0; index < length; index++) if (known.charCodeAt(index) !== bytes[from + index]) return undefined;
    return known;
  }

  /** Only what has one byte for each character is found again. */
  keep(text: string, bytes: Uint8Array, from: number, length: number): string {
    if (length > LONGEST || text.length !== length) return text;
    // The engine has one copy of each name of a field; one that is another is looked up at each use.
    const kept = this.areNames ? (Object.keys({ [text]: 0 })[0] as string) : text;
    this.slots[slotOf(bytes, from, length)] = kept;
    return kept;
  }
}

const slotOf = (bytes: Uint8Array, from: number, length: number): number => {
  const middle = bytes[from + (length >> 1)] as number;
  const last = bytes[from + length - 1] as number;
  return ((bytes[from] as number) * 31 + middle * 17 + last * 7 + length) & (SLOTS - 1);
};
