import type { Highlight } from '../suite/overview.ts';

/** What the README shows of all this: of each section what a reader would ask for first. */
export const highlights: readonly Highlight[] = [
  { what: 'messages between 64 different actors of one process', workload: 'tell', measure: 'rate', beside: ['nact', 'erlang', 'bound'] },
  { what: '8 actors that flood one', workload: 'fan-in', measure: 'rate', beside: ['nact', 'erlang', 'xstate'] },
  {
    what: 'asks in one process, 64 in flight',
    workload: 'ask',
    at: '64 in flight',
    measure: 'rate',
    beside: ['nact', 'moleculer', 'erlang'],
  },
  { what: 'memory of an idle actor', workload: 'idle', measure: 'size', beside: ['nact', 'erlang'] },
  { what: 'restarts after a crash', workload: 'restart', at: 'a new error', measure: 'rate', beside: ['nact', 'erlang'] },
  {
    what: 'asks between processes, 64 in flight',
    workload: 'remote-ask',
    at: '64 in flight',
    measure: 'rate',
    beside: ['nats request', 'moleculer', 'bound'],
  },
  {
    what: 'messages between 100 actors here and 100 there',
    workload: 'remote-tell',
    at: '100 to 100',
    measure: 'rate',
    beside: ['publish'],
  },
  {
    what: 'events appended on three servers, 1,000 in flight',
    workload: 'append',
    at: '1,000 in flight',
    measure: 'rate',
    beside: ['js.publish'],
  },
  { what: 'durable state of 1,000 agents on three servers', workload: 'state', at: '1,000 agents', measure: 'rate', beside: ['kv.update'] },
  { what: 'messages handled a second, sent steadily from node to node', workload: 'delivery', measure: 'rate', beside: [] },
  { what: 'from when such a message is due until it is handled, p99', workload: 'delivery', measure: 'p99', beside: [] },
  { what: 'an agent is created by message, p99', workload: 'create', at: 'memory', measure: 'p99', beside: [] },
  { what: 'the same for one with durable state', workload: 'create', at: 'durable', measure: 'p99', beside: [] },
  { what: 'live objects of each of 100,000 agents of one node', workload: 'many-agents', at: 'memory', measure: 'bytes', beside: [] },
  { what: 'what its process grows by for each of them', workload: 'many-agents', at: 'memory', measure: 'resident', beside: [] },
  {
    what: 'the 300 agents of a node that was killed answer elsewhere, p99',
    workload: 'failover',
    at: 'killed, 300 agents',
    measure: 'p99',
    beside: [],
  },
  { what: 'an agent moves to another node: what its caller waits', workload: 'moving', at: 'hand-off of one', measure: 'p50', beside: [] },
];
