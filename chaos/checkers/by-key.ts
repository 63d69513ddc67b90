/** Groups in ascending order of key. (`Map.groupBy` needs Node 21.) */
export function byKey<T extends { readonly key: number }>(items: readonly T[]): ReadonlyMap<number, readonly T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(item.key);
    if (group === undefined) groups.set(item.key, [item]);
    else group.push(item);
  }
  return new Map([...groups].sort(([a], [b]) => a - b));
}
