import type { AnyAgent } from '../../src/agent/define.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import { join } from '../../src/cluster/join.ts';
import { nactEngine } from '../../src/engine/nact/engine.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { type MemberNode, startMember } from '../../supervisors/member.ts';
import { SimWorld } from '../../supervisors/testkit/world.ts';

/** Members with definitions of their own, under the virtual time of a world. */
export async function membersWorld(members: Readonly<Record<string, readonly AnyAgent[]>>) {
  const world = new SimWorld({ seed: 7, definitions: [] });
  await world.form();
  const started = new Map<string, MemberNode>();
  for (const [node, definitions] of Object.entries(members)) started.set(node, await world.until(start(world, node, definitions)));
  await world.run(2_000);
  return {
    world,
    member: (node: string): MemberNode => {
      const member = started.get(node);
      if (member === undefined) throw new Error(`${node} was not started`);
      return member;
    },
    close: async () => {
      for (const member of started.values()) member.cluster.close();
      await world.close();
    },
  };
}

async function start(world: SimWorld, node: string, definitions: readonly AnyAgent[]): Promise<MemberNode> {
  const { clock, times, subjects, log } = world;
  const control = world.network.connect(node);
  const data = world.network.connect(node);
  const random = seededRandom(node.charCodeAt(node.length - 1));
  const session = random.id();
  const record = {
    state: 'joining',
    session,
    cordoned: false,
    labels: {},
    capacity: 1,
    version: '0',
    wireVersions: [1],
    types: {},
  } as const;
  const members = control.stores.kv(subjects.store('MEMBERS'));
  const joined = await join({ members, codec: createCodec(), clock, times }, node, record, { timeoutMs: 60_000 });
  const engine = nactEngine({ sliceMs: Number.POSITIVE_INFINITY, now: () => 0 });
  world.engines.push(engine);
  const rest = { clock, random, times, log, definitions, labels: { of: node }, pid: 42, lagMs: () => 3, onOver: () => {} };
  return startMember({ node, joined: { ...joined, session }, subjects, control, data, engine, ...rest }, { timeoutMs: 60_000 });
}
