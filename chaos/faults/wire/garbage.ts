import { createCodec, isJson } from '../../../src/cluster/codec.ts';
import { anySubject } from '../../../src/cluster/subject.ts';
import { createWire } from '../../../src/cluster/wire.ts';
import { NexaError } from '../../../src/errors.ts';
import type { Inbound, Subject } from '../../../src/ports/transport.ts';
import { forged } from './forged.ts';
import { HOSTILE_BODIES } from './hostile-bodies.ts';
import { type Incarnation, incarnations } from './incarnations.ts';
import { MUTATIONS, mutated } from './mutant.ts';
import { flushed, pause, type WireScene } from './scene.ts';
import { familyOf, spy } from './spy.ts';

/** What was published, by kind and by what follows the cluster's prefix. */
export interface Garbage {
  readonly sent: Readonly<Record<string, number>>;
  readonly families: Readonly<Record<string, number>>;
  /** Mutated frames that could still be read: they are somebody's word then, and not published. */
  readonly whole: number;
}

/** Long enough for every node to beat. */
const LISTEN_MS = 1_500;
const BATCH = 100;
/** Of the largest frames that the server takes; each is a MiB. */
const MOST_LARGE = 8;

/**
 * F20: `count` frames that nobody may take for anything: hostile bodies on every public and internal subject, real frames with a few bytes
 * changed, well-formed frames of nodes that there are not, subjects that name nothing, replies that would make a node call the server's
 * interface. None of them is a request that somebody might carry out: what a client asked for stays what it was.
 * @throws NexaError `unavailable` when no node is heard.
 */
export async function garbage(scene: WireScene, count: number, signal?: AbortSignal): Promise<Garbage> {
  const { link, clock, random } = scene;
  const ear = spy(scene);
  const sent: Record<string, number> = {};
  const families: Record<string, number> = {};
  let whole = 0;
  try {
    await pause(clock, LISTEN_MS);
    const real = ear.heard.slice();
    const nodes = incarnations(scene, real);
    if (nodes.length === 0) throw new NexaError('unavailable', 'no node is heard');
    ear.end();
    const makers = makersOf(scene, nodes, real);
    for (let made = 0; made < count && signal?.aborted !== true; made++) {
      const kind = KINDS[random.between(0, KINDS.length - 1)] as Kind;
      const frame = makers[kind]();
      if (frame === undefined) {
        whole++;
        continue;
      }
      link.transport.publish(frame.subject, frame.payload, frame.reply === undefined ? {} : { reply: frame.reply });
      sent[kind] = (sent[kind] ?? 0) + 1;
      const family = familyOf(scene, frame.subject);
      families[family] = (families[family] ?? 0) + 1;
      if (made % BATCH === BATCH - 1) await flushed(scene);
    }
    await flushed(scene);
  } finally {
    ear.end();
  }
  return { sent, families, whole };
}

const KINDS = [
  'hostile-body',
  'random-bytes',
  'large',
  'mutated',
  'mutated',
  'mutated',
  'forged',
  'hostile-subject',
  'hostile-reply',
] as const;
type Kind = (typeof KINDS)[number];
interface Frame {
  readonly subject: Subject;
  readonly payload: Uint8Array;
  readonly reply?: Subject;
}

function makersOf(scene: WireScene, nodes: readonly Incarnation[], real: readonly Inbound[]): Record<Kind, () => Frame | undefined> {
  const { link, random, subjects } = scene;
  const any = <T>(items: readonly T[]): T => items[random.between(0, items.length - 1)] as T;
  const bytes = (most: number): Uint8Array => Uint8Array.from({ length: random.between(0, most) }, () => random.between(0, 255));
  const body = (): Uint8Array => Uint8Array.from(any(Object.values(HOSTILE_BODIES)));
  const named = [...publicSubjects(scene), ...innerSubjects(scene, nodes)];
  const unreadable = reader();
  const nobody = () => subjects.agent('counter', `nobody-${random.between(1, 1_000)}`);
  let large = 0;
  return {
    'hostile-body': () => ({ subject: any(named), payload: body() }),
    'random-bytes': () => {
      const payload = bytes(200);
      // Chance may write a command as well.
      return unreadable('', payload) ? { subject: any(named), payload } : undefined;
    },
    large: () => {
      if (++large > MOST_LARGE) return { subject: any(named), payload: body() };
      return { subject: any(named), payload: new Uint8Array(link.transport.maxPayloadBytes).fill(0xc1) };
    },
    mutated: () => {
      if (real.length === 0) return undefined;
      const heard = any(real);
      const payload = mutated(heard.payload, any(MUTATIONS), random);
      const family = familyOf(scene, heard.subject);
      return unreadable(family, payload) ? { subject: anySubject(heard.subject), payload } : undefined;
    },
    forged: () => {
      const to = any(nodes);
      return { subject: subjects.node(to.node, to.incarnation), payload: forged(to, bytes(50), random) };
    },
    'hostile-subject': () => ({ subject: anySubject(`${subjects.prefix}.${any(HOSTILE_NAMES)}`), payload: body() }),
    'hostile-reply': () => ({ subject: nobody(), payload: Uint8Array.from(GET), reply: anySubject(any(hostileReplies(scene))) }),
  };
}

/** Whether nobody of that family could read it. */
function reader(): (family: string, payload: Uint8Array) => boolean {
  const codec = createCodec();
  const wire = createWire({ node: 'nobody', incarnation: 1 }, [1, 2]);
  return (family, payload) => {
    try {
      if (family === 'node' || family === 'beat') wire.read(payload);
      else if (isJson(payload)) codec.decodeJson(payload);
      else codec.decode(payload);
      return false;
    } catch {
      return true;
    }
  };
}

const GET = Buffer.from('{"type":"get"}');

function publicSubjects({ subjects, nodes }: WireScene): readonly Subject[] {
  const { spawn, agents, connect, services, ctl, flow } = subjects;
  return [
    ...[spawn, agents, connect, services, ctl, flow],
    subjects.agent('counter', 'nobody'),
    subjects.durable('counter', 'nobody'),
    subjects.topic('nobody.listens'),
    ...nodes.flatMap((node) => [subjects.ctlNode(node), subjects.launcher(node), subjects.flowNode(node)]),
  ];
}

function innerSubjects({ subjects, random }: WireScene, nodes: readonly Incarnation[]): readonly Subject[] {
  return [
    subjects.beat,
    ...['member', 'agent', 'peer', 'nothing'].map((kind) => subjects.event(kind)),
    ...nodes.flatMap(({ node, incarnation }) => [
      subjects.node(node, incarnation),
      subjects.replies(node, incarnation).reply(random.id()),
      subjects.replies(node, incarnation).reply('1'),
    ]),
  ];
}

/** What follows the prefix. Those that a server itself would refuse are said by hand, past every client. */
const HOSTILE_NAMES = [
  'agent.counter',
  'agent.counter.=',
  'agent.counter.=%%%',
  'agent.counter.=AAAA=',
  'agent.counter.victim.more',
  `agent.counter.${'x'.repeat(300)}`,
  'agent.$SYS.ä',
  'agent.constructor.__proto__',
  'durable.counter.=%%%',
  'durable.__proto__.x',
  'ctl.=.launcher',
  'ctl.nobody',
  'flow.=%%%',
  'topic.=%%%',
  'topic.=AAAA=',
  'node.n1.0',
  'node.n1.99999999999999999999',
  'reply.n1.1.=',
  'event.=',
  'no-such-thing',
] as const;

const hostileReplies = ({ subjects, nodes }: WireScene): readonly string[] => [
  `$JS.API.STREAM.DELETE.KV_${subjects.store('AGENTS')}`,
  `$JS.API.STREAM.PURGE.KV_${subjects.store('STATE')}`,
  `$KV.${subjects.store('META')}.formed`,
  '$SYS.REQ.SERVER.PING',
  'nexa',
  ...[subjects.spawn, subjects.beat, subjects.agents, subjects.event('member')],
  ...nodes.map((node) => subjects.ctlNode(node)),
];
