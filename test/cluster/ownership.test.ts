import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NOT_OWNED, type OwnershipEffect, type OwnershipInput, type OwnershipState, ownership } from '../../src/cluster/ownership.ts';
import type { AgentRecord } from '../../src/cluster/place.ts';
import { NexaError } from '../../src/errors.ts';

/**
 * One agent, three nodes, one store with compare-and-set that may lose answers, apply late and read stale: whatever order things
 * happen in, at most one activation exists (a node that was declared gone has stopped before, which is the lease's part).
 */
type Choice = { readonly pick: number; readonly outcome: number };

class World {
  record: { record: AgentRecord; revision: number } | undefined;
  history: ({ record: AgentRecord; revision: number } | undefined)[] = [undefined];
  revision = 100;
  nonce = 0;
  token = 0;
  created = new Map<string, number>();
  violations: string[] = [];
  highest = 0;
  woken = 0;
  pending: { node: number; run: (outcome: number) => void; what: string }[] = [];
  nodes = [0, 1, 2].map((index) => ({
    name: `n${index}`,
    incarnation: 1,
    state: NOT_OWNED as OwnershipState,
    active: undefined as number | undefined,
    /** Put away at this epoch. */
    passive: undefined as number | undefined,
  }));
  readonly gone = new Set<string>();

  step(index: number, input: OwnershipInput): void {
    const node = this.nodes[index];
    if (node === undefined) return;
    const run = ownership({
      self: { node: node.name, incarnation: node.incarnation },
      isGone: (name, incarnation) => this.gone.has(`${name}.${incarnation}`),
      versionOf: () => 1,
    });
    const [next, effects] = run(node.state, input, 0);
    node.state = next;
    for (const effect of effects) this.effect(index, node.incarnation, effect);
  }
  later(node: number, incarnation: number, what: string, run: (outcome: number) => void): void {
    this.pending.push({ node, what, run: (outcome) => (this.nodes[node]?.incarnation === incarnation ? run(outcome) : run(-1)) });
  }
  effect(index: number, incarnation: number, effect: OwnershipEffect): void {
    const node = this.nodes[index];
    if (node === undefined) return;
    const alive = (outcome: number) => outcome >= 0;
    switch (effect.effect) {
      case 'write': {
        // Giving up is over from the moment it is sent.
        if (effect.record.owner?.node !== node.name) node.active = undefined;
        this.later(index, incarnation, 'write', (outcome) => {
          const fits = this.record?.revision === effect.revision;
          const lost = outcome % 5 === 1;
          if (fits && !lost) {
            this.revision += 1;
            this.record = { record: effect.record, revision: this.revision };
            this.history.push(this.record);
          }
          const revision = this.revision;
          const answered = lost || outcome % 5 === 2 ? 'unknown' : fits ? 'yes' : 'no';
          if (alive(outcome))
            this.step(index, answered === 'yes' ? { input: 'written', outcome: 'yes', revision } : { input: 'written', outcome: answered });
        });
        return;
      }
      case 'read':
        this.later(index, incarnation, 'read', (outcome) => {
          if (!alive(outcome)) return;
          if (outcome % 7 === 1) return this.step(index, { input: 'read-failed' });
          const stale = outcome % 3 === 1 ? this.history[Math.max(0, this.history.length - 2)] : this.record;
          this.step(index, { input: 'read', found: stale });
        });
        return;
      case 'activate':
        this.later(index, incarnation, 'activate', (outcome) => {
          if (!alive(outcome) || node.state.phase !== 'activating' || node.state.epoch !== effect.epoch) return;
          if (outcome % 6 === 1)
            return this.step(index, { input: 'activation-failed', error: new Error('x') as never, local: outcome % 4 !== 3 });
          for (const other of this.nodes)
            if (other.active !== undefined) this.violations.push(`${other.name}@${other.active} and ${node.name}@${effect.epoch}`);
          const woken = node.passive === effect.epoch;
          node.passive = undefined;
          if (woken) this.woken += 1;
          if (effect.epoch < this.highest || (effect.epoch === this.highest && !woken))
            this.violations.push(`epoch ${effect.epoch} after ${this.highest}`);
          this.highest = effect.epoch;
          node.active = effect.epoch;
          this.step(index, { input: 'activated' });
        });
        return;
      case 'end':
        if (!effect.graceful) node.active = undefined;
        else
          this.later(index, incarnation, 'end', (outcome) => {
            if (!alive(outcome)) return;
            node.active = undefined;
            this.step(index, { input: 'ended' });
          });
        return;
      case 'answer-spawn':
        if (!(effect.answer instanceof Error) && effect.answer.created) {
          const id = this.spawnIds.get(effect.token) ?? '';
          this.created.set(id, (this.created.get(id) ?? 0) + 1);
        }
        return;
      case 'forget':
        this.later(index, incarnation, 'forget', (outcome) => alive(outcome) && this.step(index, { input: 'forgotten' }));
        return;
      default:
    }
  }
  spawnIds = new Map<number, string>();
  spawn(index: number, spawnId: string): void {
    const node = this.nodes[index];
    if (node === undefined) return;
    this.token += 1;
    this.spawnIds.set(this.token, spawnId);
    const record: AgentRecord = {
      type: 't',
      id: 'a',
      spawnId,
      nonce: `x${this.nonce++}`,
      config: undefined,
      restart: 'permanent',
      placement: {},
      desired: 'running',
      owner: { node: node.name, incarnation: node.incarnation },
      prefer: undefined,
      version: 1,
      why: 'spawned',
      cause: 'spawn',
      moves: [],
    };
    this.step(index, { request: 'spawn', token: this.token, record });
  }
  act({ pick, outcome }: Choice): void {
    const index = pick % 3;
    const node = this.nodes[index];
    if (node === undefined) return;
    switch (Math.floor(pick / 3) % 12) {
      case 0:
        return this.spawn(index, `s${outcome % 2}`);
      case 1:
        return this.step(index, { request: 'stop', token: ++this.token, forget: outcome % 2 === 0 });
      case 2:
      case 3:
        return this.step(index, { input: 'claim', why: 'test', cause: 'crash', nonce: `x${this.nonce++}`, atMs: 0 });
      case 4:
        if (node.state.phase === 'active') this.step(index, { input: 'leave', prefer: undefined, why: 'leave', cause: 'drain' });
        return;
      case 5: // declared gone: its lease had ended before
        this.gone.add(`${node.name}.${node.incarnation}`);
        node.active = undefined;
        node.passive = undefined;
        node.incarnation += 1;
        node.state = NOT_OWNED;
        return;
      case 6: {
        const there = this.record;
        if (there !== undefined && there.record.owner?.node !== node.name)
          this.step(index, { input: 'superseded', revision: there.revision });
        return;
      }
      case 7:
        if (node.state.phase !== 'active' || node.active === undefined) return;
        node.passive = node.active;
        node.active = undefined;
        if (outcome % 2 === 0) this.step(index, { input: 'wake' });
        return;
      case 8:
        if (node.state.phase === 'active' && node.passive === node.state.epoch) this.step(index, { input: 'wake' });
        return;
      default: {
        const next = this.pending.splice(outcome % Math.max(1, this.pending.length), 1)[0];
        next?.run(outcome);
      }
    }
  }
}

test('whatever is lost, late, stale or repeated, an agent has at most one activation and epochs only rise', () => {
  let activations = 0;
  let woken = 0;
  fc.assert(
    fc.property(fc.array(fc.record({ pick: fc.nat(35), outcome: fc.nat(209) }), { minLength: 30, maxLength: 120 }), (choices) => {
      const world = new World();
      world.spawn(0, 's0');
      for (const choice of choices) world.act(choice);
      activations += world.highest > 0 ? 1 : 0;
      woken += world.woken;
      expect(world.violations).toEqual([]);
    }),
    { numRuns: 3_000 },
  );
  // The choices are random: far below what they come to.
  expect(activations).toBeGreaterThan(100);
  expect(woken).toBeGreaterThan(20);
});

test('a spawn that the store refuses for good is answered with that refusal, and nothing is under way', () => {
  const self = { node: 'n1', incarnation: 1 };
  const step = ownership({ self, isGone: () => false, versionOf: () => 1 });
  const record = { type: 't', id: 'a', spawnId: '', nonce: 'x', config: undefined, restart: 'permanent', placement: {} } as const;
  const wanted: AgentRecord = {
    ...record,
    desired: 'running',
    owner: self,
    prefer: undefined,
    version: 1,
    why: 'spawned',
    cause: 'spawn',
    moves: [],
  };
  const [writing] = step(NOT_OWNED, { request: 'spawn', token: 7, record: wanted }, 0);
  const full = new NexaError('quota-exceeded', 'the store is full');
  const [state, effects] = step(writing, { input: 'written', outcome: 'unknown', refused: full }, 0);
  expect(state.phase).toBe('idle');
  expect(effects).toEqual([{ effect: 'answer-spawn', token: 7, answer: full }]);
});

test('a repeated spawn id over the agent that it made answers created: false', () => {
  const world = new World();
  world.spawn(0, 's0');
  while (world.pending.length > 0) world.pending.shift()?.run(0);
  world.spawn(1, 's0');
  while (world.pending.length > 0) world.pending.shift()?.run(0);
  world.spawn(0, 's0');
  while (world.pending.length > 0) world.pending.shift()?.run(0);
  expect(world.created).toEqual(new Map([['s0', 1]]));
});
