import type { NodeId } from '../actor/address.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Logger } from '../ports/logger.ts';
import type { Transport } from '../ports/transport.ts';
import type { Members } from './members.ts';
import type { Peer } from './peer.ts';
import { type Subjects, validNode } from './subject.ts';

/** Of the hint. A reader takes this one and passes over any other. */
export const HINT_VERSION = 1;
/** Without news a node says how it is every so many beats; missed three times it is not heard. */
const BEATS = 4;
const MISSED = 3;
/** Names in one hint, and sentences in one answer. */
const MOST_NAMED = 32;
const MOST_GAPS = 100;

/** What a node says of itself besides its beats. */
export interface PeerSays {
  readonly ready: boolean;
  /** An optional check of it has failed. */
  readonly degraded: boolean;
}
/** Another member that is up, as this node hears it; null is unknown: it never said, or may be of an older release. */
export interface PeerView {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly heard: boolean | null;
  readonly hearsUs: boolean | null;
  readonly ready: boolean | null;
  readonly degraded: boolean | null;
}
/** A way between two members that messages do not take. One way: the other direction works. */
export interface Gap {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly oneWay: boolean;
  readonly message: string;
}

export interface PeersHeard {
  /** What the others are to know of this node; told at the next beat. */
  say(says: PeerSays): void;
  readonly mine: PeerSays;
  of(node: NodeId): PeerView | undefined;
  all(): readonly PeerView[];
  /** By what all nodes that are heard say: at most 100, one-way ones first. */
  gaps(): readonly Gap[];
  stop(): void;
}

interface Heard extends PeerSays {
  readonly incarnation: number;
  readonly atMs: number;
  /** Whom it does not hear; with more than 32 only the first. */
  readonly unheard: ReadonlySet<NodeId>;
}

/**
 * Who hears whom. Every node says on the connection that carries messages whom it has not heard there lately; what is heard of all of them is
 * the matrix. Hints: they name a broken way and decide nothing.
 */
export function peersHeard(options: {
  readonly self: Peer;
  /** The one that carries messages. */
  readonly transport: Transport;
  readonly subjects: Subjects;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly log: Logger;
  readonly members: Members;
  readonly beatMs: number;
}): PeersHeard {
  const { self, transport, subjects, codec, clock, log, members, beatMs } = options;
  const subject = subjects.event('peer');
  const lastHeard = new Map<NodeId, Heard>();
  /** Since when each member was seen up: nobody is missed before it had time to speak. */
  const since = new Map<NodeId, { readonly incarnation: number; readonly atMs: number }>();
  const patienceMs = MISSED * BEATS * beatMs;
  let mine: PeerSays = { ready: false, degraded: false };
  let said = '';
  let beatsSince = BEATS;

  const quietly = (what: string, run: () => void): void => {
    try {
      run();
    } catch (error) {
      log.debug({ error: String(error) }, what);
    }
  };
  const others = () => members.all().filter(({ node, state }) => node !== self.node && state === 'up');
  const heardOf = (node: NodeId, incarnation: number): Heard | undefined => {
    const heard = lastHeard.get(node);
    return heard?.incarnation === incarnation ? heard : undefined;
  };
  /** Undefined: nothing was ever heard, and it had no time yet or speaks otherwise. */
  const hears = ({ node, incarnation, suspect }: { node: NodeId; incarnation: number; suspect: boolean }): boolean | undefined => {
    const heard = heardOf(node, incarnation);
    const nowMs = clock.monotonicMs();
    if (heard !== undefined) return nowMs - heard.atMs <= patienceMs;
    const up = since.get(node);
    const waited = up?.incarnation === incarnation && nowMs - up.atMs > patienceMs;
    // Beats without hints: an older release, of which nothing can be said.
    return waited && suspect ? false : undefined;
  };

  const look = (): void => {
    const present = others();
    const names = new Set(present.map(({ node }) => node));
    for (const known of [lastHeard, since]) for (const node of known.keys()) if (!names.has(node)) known.delete(node);
    for (const { node, incarnation } of present)
      if (since.get(node)?.incarnation !== incarnation) since.set(node, { incarnation, atMs: clock.monotonicMs() });
    const unheard = present
      .filter((member) => hears(member) === false)
      .map(({ node }) => node)
      .sort();
    const hint = [HINT_VERSION, self.node, self.incarnation, mine.ready, mine.degraded, unheard.length, unheard.slice(0, MOST_NAMED)];
    const says = JSON.stringify(hint);
    if (says === said && ++beatsSince < BEATS) return;
    said = says;
    beatsSince = 0;
    quietly('a hint about peers was not sent', () => transport.publish(subject, codec.encode(hint)));
  };
  const tick = (): void => {
    cancelTick = clock.after(beatMs, tick);
    look();
  };
  let cancelTick = clock.after(beatMs, tick);
  const cancelHearing = transport.subscribe(subject, ({ payload }) =>
    quietly('a hint about peers cannot be read', () => {
      const hint = codec.decode(payload);
      if (!Array.isArray(hint) || hint[0] !== HINT_VERSION) return;
      const [, node, incarnation, ready, degraded, , unheard] = hint;
      if (node === self.node || typeof incarnation !== 'number' || !Array.isArray(unheard)) return;
      // Only of incarnations that a record knows: the table is bounded by the membership.
      const member = members.find(validNode(String(node)));
      if (member?.state !== 'up' || member.incarnation !== incarnation) return;
      lastHeard.set(member.node, {
        incarnation,
        atMs: clock.monotonicMs(),
        ready: ready === true,
        degraded: degraded === true,
        unheard: new Set(unheard.slice(0, MOST_NAMED).map((name) => validNode(String(name)))),
      });
    }),
  );

  const viewOf = (member: { node: NodeId; incarnation: number; suspect: boolean }): PeerView => {
    const { node, incarnation } = member;
    const heard = hears(member);
    const says = heard === true ? heardOf(node, incarnation) : undefined;
    return {
      node,
      incarnation,
      heard: heard ?? null,
      hearsUs: says === undefined ? null : !says.unheard.has(self.node),
      ready: says?.ready ?? null,
      degraded: says?.degraded ?? null,
    };
  };

  const gaps = (): readonly Gap[] => {
    const views = others().map((member) => ({ ...viewOf(member), unheard: heardOf(member.node, member.incarnation)?.unheard }));
    /** Whether `to` hears `from`: what it says itself, while it is heard. */
    const reaches = (from: NodeId, to: NodeId): boolean | undefined => {
      if (to === self.node) return views.find(({ node }) => node === from)?.heard ?? undefined;
      const teller = views.find(({ node }) => node === to);
      return teller?.heard === true ? !teller.unheard?.has(from) : undefined;
    };
    const names = [self.node, ...views.map(({ node }) => node)];
    const found: Gap[] = [];
    for (const to of names)
      for (const from of names) {
        if (from === to || reaches(from, to) !== false) continue;
        const back = reaches(to, from);
        if (back === true) found.push({ from, to, oneWay: true, message: `${from} hears ${to}, ${to} does not hear ${from}` });
        else found.push({ from, to, oneWay: false, message: `${to} does not hear ${from}` });
      }
    return found.sort((a, b) => Number(b.oneWay) - Number(a.oneWay)).slice(0, MOST_GAPS);
  };

  return {
    say(says) {
      mine = says;
    },
    get mine() {
      return mine;
    },
    of(node) {
      const member = members.find(node);
      return member?.state === 'up' && node !== self.node ? viewOf(member) : undefined;
    },
    all: () => others().map(viewOf),
    gaps,
    stop() {
      cancelTick();
      cancelHearing();
    },
  };
}
