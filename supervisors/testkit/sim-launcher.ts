import { createCodec } from '../../src/cluster/codec.ts';
import { declareGone } from '../../src/cluster/join.ts';
import type { SimNode } from './sim-options.ts';
import type { SimWorld } from './world.ts';

/** It runs on the same machine as the node, in a process of its own. */
export const launcherOf = (name: string): string => `${name}-launcher`;

/** What a launcher does that saw its node exit: says for this one incarnation that it is gone. */
export async function proveGone(world: SimWorld, { name, incarnation }: SimNode): Promise<void> {
  if (incarnation === 0) return;
  const { subjects, clock, times } = world;
  const { stores, transport } = world.network.connect(launcherOf(name));
  const codec = createCodec();
  const members = stores.kv(subjects.store('MEMBERS'));
  try {
    const within = { timeoutMs: 60_000, cause: 'crash' } as const;
    const revision = await declareGone({ members, codec, clock, times }, name, incarnation, within);
    if (revision !== undefined) transport.publish(subjects.event('member'), codec.encode([name, revision]));
  } catch {
    world.note(`${name} could not be declared gone`);
  }
}
