import { describe, expect, test } from 'vitest';
import type { SeenEvent } from '../../bin/event-line.ts';
import { styleFor } from '../../bin/output.ts';
import { type AgentShape, agentsOf, type NodeShape, nodesOf } from '../../bin/shapes.ts';
import { changeLine, changes, paint, type View } from '../../bin/watched.ts';
import type { Client } from '../../src/client.ts';
import { NexaError } from '../../src/errors.ts';
import { nexa } from './run.ts';

const style = styleFor(false);
const node = (name: string, more: object = {}): NodeShape =>
  nodesOf([
    { node: name, incarnation: 1, state: 'running', pid: 7, labels: {}, version: '0.1.0', agents: 1, lagMs: 0, ...more },
  ])[0] as NodeShape;
const agent = (id: string, on: string | null, more: object = {}): AgentShape =>
  agentsOf([
    { type: 'counter', id, node: on, epoch: 3, state: on === null ? 'unplaced' : 'running', mailbox: 0, restarts: 0, ...more },
  ])[0] as AgentShape;
const view = (nodes: readonly NodeShape[], agents: readonly AgentShape[]): View => ({
  atMs: Date.UTC(2026, 0, 1, 12, 3, 4, 5),
  nodes,
  agents,
});
const told = (before: View | undefined, after: View): readonly string[] =>
  changes(before, after).map((change) => changeLine(change, style).replace(/^\S+:03:04\.005 /, ''));

describe('changes', () => {
  const first = view([node('n1'), node('n2')], [agent('alice', 'n2'), agent('bob', 'n1')]);

  test('at first everything is new', () => {
    expect(told(undefined, first)).toEqual([
      'node n1 running pid 7',
      'node n2 running pid 7',
      'agent counter/alice n2 running epoch 3',
      'agent counter/bob n1 running epoch 3',
    ]);
  });

  test('then states, places, epochs and restarts are told, and not what only counts', () => {
    expect(
      told(first, view([node('n1', { agents: 9, lagMs: 80 }), node('n2')], [agent('alice', 'n2', { mailbox: 5 }), agent('bob', 'n1')])),
    ).toEqual([]);
    const after = view(
      [node('n1', { cordoned: true, suspended: true, ready: false, degraded: true }), node('n2', { state: 'gone', pid: null })],
      [agent('alice', 'n1', { epoch: 9 }), agent('bob', 'n1', { restarts: 2 })],
    );
    expect(told(first, after)).toEqual([
      'node n1 running → running suspended cordoned not ready degraded pid 7',
      'node n2 running → gone',
      'agent counter/alice n2 running → n1 running epoch 9',
      'agent counter/bob n1 running → n1 running epoch 3 restarts 2',
    ]);
    expect(told(first, view([node('n1'), node('n2')], [agent('bob', 'n1')]))).toEqual(['agent counter/alice n2 running → -']);
  });

  test('a hostile name is shown escaped', () => {
    expect(told(undefined, view([], [agent('\u001b[2J\u202e', null)]))).toEqual(['agent counter/\\u{1b}[2J\\u{202e} unplaced epoch 3']);
  });
});

describe('the screen', () => {
  const event: SeenEvent = { event: 'moved', node: 'n1', atMs: 0 };
  const many = view(
    Array.from({ length: 40 }, (_, index) => node(`n${index}`, { state: index === 0 ? 'gone' : 'running' })),
    [...Array.from({ length: 900 }, (_, index) => agent(`a${index}`, 'n1')), agent('worried', null), agent('busy', 'n1', { mailbox: 50 })],
  );

  test.each([5, 10, 24, 60, 200])('has at most %i lines, whatever there is', (rows) => {
    const events = Array.from({ length: 50 }, () => event);
    expect(
      paint({ view: many, cluster: 'c', events, problem: undefined }, { rows, style, lineOf: () => 'happened' }).length,
    ).toBeLessThanOrEqual(rows);
    expect(
      paint({ view: view([], []), cluster: 'c', events: [], problem: 'oh' }, { rows, style, lineOf: () => '' }).length,
    ).toBeLessThanOrEqual(rows);
  });

  test('shows first who wants to be looked at, what happened last, and why it is not newer', () => {
    const lines = paint(
      { view: many, cluster: 'demo', events: [event], problem: 'nothing newer' },
      { rows: 40, style, lineOf: () => 'n1 moved' },
    );
    expect(lines[0]).toMatch(/^demo {2}\S+ {2}39 nodes, 902 agents: 901 running, 1 unplaced$/);
    expect(lines[1]).toBe('nothing newer');
    const agents = lines.slice(lines.findIndex((line) => line.startsWith('AGENT')));
    expect(agents[1]).toMatch(/^counter\/worried +unplaced/);
    expect(agents[2]).toMatch(/^counter\/busy +running/);
    expect(lines.at(-1)).toBe('n1 moved');
  });
});

/** A cluster that looks like this, one view after the other, then is left; an error is a time in which nobody answers. */
function watching(views: readonly (View | NexaError)[]) {
  const ended = new AbortController();
  let looked = 0;
  let cancelled = 0;
  const heard: ((event: SeenEvent) => void)[] = [];
  const at = (): View => {
    const now = views[Math.min(looked, views.length - 1)];
    if (now instanceof NexaError) throw now;
    return now as View;
  };
  const client = {
    cluster: {
      events: (_wanted: unknown, listener: (event: SeenEvent) => void) => {
        heard.push(listener);
        return () => void cancelled++;
      },
      nodes: async () => at().nodes,
      list: async () => {
        try {
          return at().agents;
        } finally {
          if (++looked >= views.length) setImmediate(() => ended.abort());
        }
      },
    },
    [Symbol.asyncDispose]: async () => undefined,
  } as unknown as Client;
  const run = (options: { readonly isTTY?: boolean } = {}, ...argv: string[]) =>
    nexa(['watch', ...argv], { connect: async () => client, ended: ended.signal, ...options });
  return { run, heard, cancelled: () => cancelled };
}

describe('nexa watch', () => {
  const down = new NexaError('disconnected', 'the connection to NATS is broken');
  const before = view([node('n1'), node('n2')], [agent('alice', 'n2')]);
  const after = view([node('n1'), node('n2', { state: 'gone' })], [agent('alice', 'n1', { epoch: 9 })]);

  test('writes a line for each change where there is no terminal, and goes on when nobody answers for a while', async () => {
    const world = watching([before, down, down, after, after]);
    const { exit, stdout, stderr } = await world.run();
    expect(exit).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^\S+ /, '')),
    ).toEqual([
      'node n1 running pid 7',
      'node n2 running pid 7',
      'agent counter/alice n2 running epoch 3',
      'node n2 running → gone pid 7',
      'agent counter/alice n2 running → n1 running epoch 9',
    ]);
    expect(stderr).toMatch(/^nothing newer than \S+: disconnected: the connection to NATS is broken\n$/);
    expect(world.cancelled()).toBe(1);
  });

  test('writes JSON lines when they are asked for, also on a terminal', async () => {
    const { stdout } = await watching([before, after, after]).run({ isTTY: true }, '-o', 'json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ node: 'n1', before: null, after: { state: 'running' } });
    expect(lines.at(-1)).toMatchObject({ agent: 'counter/alice', before: { node: 'n2' }, after: { node: 'n1', epoch: 9 } });
  });

  test('paints on a terminal, and leaves it as it was', async () => {
    const { stdout } = await watching([before, down, after, after]).run({ isTTY: true });
    expect(stdout.startsWith('\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[H')).toBe(true);
    expect(stdout.endsWith('\u001b[?7h\u001b[?25h\u001b[?1049l')).toBe(true);
    expect(stdout).toContain('nothing newer than');
    expect(stdout).toContain('counter/alice');
  });

  test('a cluster that is not there is an error, and no screen is opened for it', async () => {
    const world = watching([new NexaError('unavailable', 'no node of the cluster listens there')]);
    expect(await world.run({ isTTY: true })).toMatchObject({ exit: 4, stdout: '' });
    expect(world.cancelled()).toBe(1);
  });
});
