import { counter } from '../../actors/builtin/index.ts';
import type { AnyAgent } from '../../src/agent/define.ts';
import type { MemberRecord } from '../../src/cluster/member.ts';
import { NexaError } from '../../src/errors.ts';
import type { Kv } from '../../src/ports/stores.ts';
import type { MemberNode } from '../../supervisors/member.ts';
import { type SimOptions, SimWorld } from '../../supervisors/testkit/world.ts';

/** What an ask came to: the reply, or the error. */
export type Came = { readonly reply: unknown } | { readonly error: NexaError };

/** A calm cluster of n1, n2 … that are up and settled: for tests of one promise, which bring their own trouble. */
export async function calmCluster(
  options: Partial<SimOptions> & {
    readonly size?: number;
    readonly agents?: readonly AnyAgent[];
    /** What happens to the stores before the cluster is formed. */
    readonly before?: (world: SimWorld) => Promise<unknown>;
  } = {},
) {
  const { size = 3, agents = [], before = async () => undefined, ...rest } = options;
  const over: string[] = [];
  const activated: { readonly agent: string; readonly node: string; readonly epoch: number; readonly atMs: number }[] = [];
  const world: SimWorld = new SimWorld({
    seed: 1,
    definitions: [counter, ...agents],
    ...rest,
    onOver: (node, reason) => {
      over.push(`${node.name}.${node.incarnation} ${reason}`);
      rest.onOver?.(node, reason);
    },
    onUp: (node, member) => {
      rest.onUp?.(node, member);
      member.system.events.subscribe((event) => {
        if (event.event !== 'activated' || event.address.kind !== 'agent') return;
        const { type, id } = event.address;
        activated.push({ agent: `${type}/${id}`, node: node.name, epoch: event.epoch, atMs: world.clock.monotonicMs() });
      });
    },
  });
  const names = [...Array(size).keys()].map((index) => `n${index + 1}`);
  await before(world);
  await world.form();
  await world.until(Promise.all(names.map((name) => world.start(name))));
  await world.run(1_500);

  const member = (name: string): MemberNode => {
    const found = world.nodes.get(name)?.member;
    if (found === undefined) throw new Error(`${name} is not up`);
    return found;
  };
  /** Begun now; time has to be moved for it to come to something. */
  const asking = (
    from: string,
    agent: string,
    message: object,
    given: { readonly timeoutMs?: number; readonly requestId?: string } = {},
  ) => {
    const ref = member(from).system.unsafeRef<never>(`nexa:${agent}`) as unknown as {
      ask(message: object, options: object): Promise<unknown>;
    };
    const begunMs = world.clock.monotonicMs();
    const came: { came?: Came; tookMs?: number } = {};
    const settle = (what: Came): void => {
      came.came = what;
      came.tookMs = world.clock.monotonicMs() - begunMs;
    };
    const done = ref.ask(message, { timeoutMs: 5_000, ...given }).then(
      (reply) => settle({ reply }),
      (error) => settle({ error }),
    );
    return Object.assign(came, { done });
  };
  const ask = async (...given: Parameters<typeof asking>): Promise<unknown> => {
    const asked = asking(...given);
    await world.until(asked.done);
    if (asked.came === undefined || 'error' in asked.came) throw asked.came?.error ?? new NexaError('internal', 'nothing came');
    return asked.came.reply;
  };
  return {
    world,
    over,
    activated,
    member,
    asking,
    ask,
    /** Spawns it on that node. */
    spawn: (type: string, id: string, node: string, more: object = {}) =>
      world.until(member(node).agents.spawn({ type, id, placement: { node }, timeoutMs: 5_000, ...more })),
    store: (name: 'MEMBERS' | 'AGENTS' | 'STATE'): Kv => world.network.connect('looker').stores.kv(world.subjects.store(name)),
    /** Who may act for it at this instant. */
    acting: (key: string): readonly string[] =>
      [...world.nodes.values()].filter(({ alive, member }) => alive && member?.cluster.locals.acts(key) === true).map(({ name }) => name),
    seenBy: (from: string, name: string): MemberRecord['state'] | undefined => member(from).cluster.members.find(name)?.state,
    async [Symbol.asyncDispose]() {
      await world.close();
    },
  };
}
