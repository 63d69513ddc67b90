/** One statement a line: the packet filter's own language for what is done to packets that cross the switch, by source and destination. */
const TABLE = 'bridge nexa';
/** What a packet without data has at most: both headers with all their options. */
const EMPTY_BYTES = 80;

/** A pair of addresses, in the order of the packets. */
export type Pair = readonly [from: string, to: string];
const pair = ([from, to]: Pair): string => `${from} . ${to}`;

/**
 * The rules, made once; a fault is an element of a set. `silent` lets a handshake and its bare acknowledgements through, and nothing that
 * carries data or ends a connection.
 */
export const RULES = `
add table ${TABLE}
add set ${TABLE} cut { type ipv4_addr . ipv4_addr; }
add set ${TABLE} silent { type ipv4_addr . ipv4_addr; }
add map ${TABLE} loss { type ipv4_addr . ipv4_addr : verdict; }
add chain ${TABLE} mute
add rule ${TABLE} mute ip length > ${EMPTY_BYTES} drop
add rule ${TABLE} mute tcp flags & (fin | rst | psh) != 0 drop
add chain ${TABLE} crossing { type filter hook forward priority 0; policy accept; }
add rule ${TABLE} crossing ip saddr . ip daddr @cut drop
add rule ${TABLE} crossing ip saddr . ip daddr @silent jump mute
add rule ${TABLE} crossing ip saddr . ip daddr vmap @loss
`;

/** Into a set or out of it, whether it is there already or not. */
export const put = (set: 'cut' | 'silent', of: Pair): string => `add element ${TABLE} ${set} { ${pair(of)} }\n`;
export const take = (set: 'cut' | 'silent', of: Pair): string => `${put(set, of)}delete element ${TABLE} ${set} { ${pair(of)} }\n`;

/** So many of a hundred packets are dropped, by the kernel's own chance; `before` is what the pair had. */
export function lose(of: Pair, before: number, percent: number): string {
  const chain = (share: number) => `loss${Math.round(share * 100)}`;
  const end = before === 0 ? '' : `delete element ${TABLE} loss { ${pair(of)} }\n`;
  if (percent === 0) return end;
  const name = chain(percent);
  return [
    `${end}add chain ${TABLE} ${name}`,
    `flush chain ${TABLE} ${name}`,
    `add rule ${TABLE} ${name} ${percent === 100 ? '' : `numgen random mod 10000 < ${Math.round(percent * 100)}`} drop`,
    `add element ${TABLE} loss { ${pair(of)} : jump ${name} }`,
    '',
  ].join('\n');
}

export const HEAL = `flush set ${TABLE} cut\nflush set ${TABLE} silent\nflush map ${TABLE} loss\n`;
