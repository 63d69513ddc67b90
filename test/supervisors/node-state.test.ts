import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startNode } from '../../supervisors/node.ts';
import type { NexaNode, NodeState } from '../../supervisors/node-contract.ts';
import { wayTo } from '../../supervisors/node-state.ts';

/** As the source document draws them. */
const DRAWN: readonly (readonly [NodeState, NodeState])[] = [
  ['stopped', 'starting'],
  ['starting', 'running'],
  ['running', 'maintenance'],
  ['maintenance', 'running'],
  ['running', 'stopping'],
  ['stopping', 'stopped'],
  ['running', 'error'],
  ['error', 'stopped'],
];
const STATES: readonly NodeState[] = ['stopped', 'starting', 'running', 'maintenance', 'stopping', 'error'];
const drawn = (from: NodeState, to: NodeState): boolean => DRAWN.some(([a, b]) => a === from && b === to);

test('every way is made of steps that are drawn, and there is no other', () => {
  for (const from of STATES)
    for (const to of STATES) {
      const allowed = from === to || drawn(from, to) || (from === 'maintenance' && drawn('running', to));
      if (!allowed) {
        expect(() => wayTo(from, to), `${from} to ${to}`).toThrow(expect.objectContaining({ code: 'context-misused' }));
        continue;
      }
      let at = from;
      for (const next of wayTo(from, to)) {
        expect(drawn(at, next), `${at} to ${next}`).toBe(true);
        at = next;
      }
      expect(at).toBe(to);
    }
});

type Order = 'cordon' | 'uncordon' | 'drain' | 'stop';
interface Model {
  state: NodeState;
}
interface Real {
  readonly node: NexaNode;
}
class Ordered implements fc.AsyncCommand<Model, Real> {
  readonly order: Order;
  constructor(order: Order) {
    this.order = order;
  }
  check = (): boolean => true;
  async run(model: Model, { node }: Real): Promise<void> {
    const done = await node[this.order]().then(
      () => 'done',
      (error) => error.code as string,
    );
    const over = model.state === 'stopped';
    if (this.order === 'stop') model.state = 'stopped';
    else if (!over && this.order === 'drain') model.state = 'maintenance';
    else if (!over && this.order === 'uncordon') model.state = 'running';
    expect(done).toBe(over && this.order !== 'stop' ? 'unavailable' : 'done');
    expect(node.state).toBe(model.state);
  }
  toString = (): string => this.order;
}

test('whatever a node is told, it is where the model says, and it came there as drawn', async () => {
  const orders = (['cordon', 'uncordon', 'drain', 'stop'] as const).map((order) => fc.constant(new Ordered(order)));
  await fc.assert(
    fc.asyncProperty(fc.commands(orders, { maxCommands: 8 }), async (commands) => {
      await using node = await startNode({ nats: 'memory', name: 'n1' });
      const steps: (readonly [string, string])[] = [];
      node.system.events.subscribe((event) => {
        if (event.event === 'node-state') steps.push([event.before, event.state]);
      });
      await fc.asyncModelRun(() => ({ model: { state: 'running' as NodeState }, real: { node } }), commands);
      for (const [from, to] of steps) expect(drawn(from as NodeState, to as NodeState), `${from} to ${to}`).toBe(true);
    }),
    { numRuns: 25 },
  );
});

test('a start that fails was starting, and nothing comes after it', async () => {
  await expect(startNode({ nats: 'nats://127.0.0.1:1', name: 'n1', labels: {} })).rejects.toMatchObject({ code: 'disconnected' });
});
