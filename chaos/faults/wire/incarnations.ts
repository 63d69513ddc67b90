import { createCodec } from '../../../src/cluster/codec.ts';
import type { Inbound } from '../../../src/ports/transport.ts';
import type { WireScene } from './scene.ts';

export interface Incarnation {
  readonly node: string;
  readonly incarnation: number;
}

const codec = createCodec();

/** Who has beaten lately, as any stranger can hear: the third and fourth field of a beat. */
export function incarnations({ subjects }: Pick<WireScene, 'subjects'>, heard: readonly Inbound[]): readonly Incarnation[] {
  const latest = new Map<string, number>();
  for (const { subject, payload } of heard) {
    if (subject !== subjects.beat) continue;
    const [, , node, incarnation] = fieldsOf(payload);
    if (typeof node === 'string' && typeof incarnation === 'number') latest.set(node, Math.max(incarnation, latest.get(node) ?? 0));
  }
  return [...latest].map(([node, incarnation]) => ({ node, incarnation }));
}

function fieldsOf(payload: Uint8Array): readonly unknown[] {
  try {
    const fields = codec.decode(payload);
    return Array.isArray(fields) ? fields : [];
  } catch {
    return [];
  }
}
