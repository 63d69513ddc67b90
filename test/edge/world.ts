import { createCodec, isJson } from '../../src/cluster/codec.ts';
import { clientInbox, receivedReply, subjects } from '../../src/cluster/subject.ts';
import type { PublicDeadLetter, PublicHandlers } from '../../src/edge/handlers.ts';
import { type PublicEdgeOptions, publicEdge } from '../../src/edge/public-edge.ts';
import { memoryNetwork } from '../../src/memory/network.ts';
import { seededRandom } from '../../src/memory/random.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { Inbound, Subject } from '../../src/ports/transport.ts';
import { manualClock } from '../support/manual-clock.ts';

export const names = subjects('test');
export const codec = createCodec();

/** One node's edge on a memory network, its handlers recorded, and any client before it. */
export function edgeWorld(
  given: Partial<PublicHandlers> = {},
  bounds: Pick<PublicEdgeOptions, 'mostInFlight' | 'mostInFlightBytes' | 'sheds'> = {},
) {
  const clock = manualClock();
  const random = seededRandom(1);
  const network = memoryNetwork({ clock, random });
  const calls: unknown[][] = [];
  const letters: PublicDeadLetter[] = [];
  const logged: object[] = [];
  const log: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: (fields) => logged.push(fields), child: () => log };
  const recorded =
    (name: string, answer: unknown) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args.filter((arg) => !(arg instanceof AbortSignal))]);
      return answer as never;
    };
  const handlers: PublicHandlers = {
    spawn: recorded('spawn', { agent: { type: 'counter', id: 'alice', node: 'n1', epoch: 12 }, created: true }),
    ask: recorded('ask', { value: 1 }),
    stream: async function* (...args) {
      calls.push(['stream', ...args.slice(0, 4)]);
      yield { text: 'one' };
    },
    tell: (...args) => void calls.push(['tell', ...args]),
    tellDurably: recorded('tellDurably', { messageId: 'm1' }),
    dead: recorded('dead', { dead: [], more: false }),
    list: recorded('list', { agents: [{ type: 'counter', id: 'alice', node: 'n1', epoch: 12, state: 'running' }], more: false }),
    types: recorded('types', [{ type: 'counter' }]),
    describe: recorded('describe', { type: 'counter', commands: {} }),
    stop: recorded('stop', undefined),
    nodes: recorded('nodes', [{ node: 'n1', state: 'running' }]),
    status: recorded('status', { node: 'n1' }),
    topics: recorded('topics', { topics: [], more: false, silent: [] }),
    tree: recorded('tree', { name: 'n1', path: '/', children: [] }),
    cordon: recorded('cordon', undefined),
    drain: recorded('drain', { moved: 2, left: 0, lostMemory: 0, blocked: null }),
    inspect: recorded('inspect', { type: 'counter', id: 'alice' }),
    why: recorded('why', { type: 'counter', id: 'alice', moves: [] }),
    inspectNode: recorded('inspectNode', { status: { node: 'n1' } }),
    logs: recorded('logs', { lines: [], last: 0, lost: 0 }),
    stopNode: () => void calls.push(['stopNode']),
    connect: recorded('connect', { client: 'c1', cluster: 'test', node: 'n1', heartbeatMs: 5_000, versions: [1] }),
    beat: recorded('beat', undefined),
    disconnect: recorded('disconnect', undefined),
    clients: recorded('clients', { clients: [], more: false }),
    findServices: recorded('findServices', { services: [], more: false }),
    registerService: recorded('registerService', { service: 'workers', instance: 'counter/alice' }),
    deregisterService: recorded('deregisterService', undefined),
    ...given,
  };
  const edge = publicEdge({
    transport: network.connect('n1').transport,
    subjects: names,
    clock,
    log,
    node: 'n1',
    handlers,
    onDeadLetter: (letter) => letters.push(letter),
    ...bounds,
  });
  edge.open();

  const { transport } = network.connect('stranger');
  const inbox = clientInbox('stranger');
  const answers = new Map<string, Inbound>();
  transport.subscribe(inbox.all, (message) => answers.set(message.subject, message));
  let asked = 0;
  /** Publishes bytes as any NATS client would; the answer, decoded, or undefined if there is none. */
  const request = async (
    subject: Subject,
    payload: Uint8Array,
    options: { readonly headers?: Record<string, string>; readonly waitMs?: number } = {},
  ) => {
    const reply = inbox.reply(`r${++asked}`);
    transport.publish(subject, payload, { reply, headers: new Map(Object.entries(options.headers ?? {})) });
    await clock.advance(options.waitMs ?? 10);
    const answer = answers.get(reply);
    if (answer === undefined || answer.noResponders) return undefined;
    return {
      json: isJson(answer.payload),
      body: (isJson(answer.payload) ? codec.decodeJson(answer.payload) : codec.decode(answer.payload)) as Record<string, unknown>,
    };
  };
  const requestJson = async (subject: Subject, body: unknown, headers: Record<string, string> = {}) =>
    (await request(subject, Buffer.from(JSON.stringify(body)), { headers }))?.body;
  const publish = async (subject: string, text: string, options: { readonly reply?: string } = {}) => {
    transport.publish(
      receivedReply(subject),
      Buffer.from(text),
      options.reply === undefined ? {} : { reply: receivedReply(options.reply) },
    );
    await clock.advance(10);
  };
  return { clock, random, network, edge, calls, letters, logged, request, requestJson, publish, transport };
}
