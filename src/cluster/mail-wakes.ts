import type { Cancel } from '../actor/ref.ts';
import type { System } from '../actor/system.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Stream } from '../ports/stores.ts';
import { endpointRef } from './endpoint.ts';
import { inParallel } from './in-parallel.ts';
import type { LocalAgents } from './local-agents.ts';
import type { Mailboxes } from './mailboxes.ts';
import type { Members } from './members.ts';
import type { Demand } from './on-demand.ts';
import { rendezvous } from './placement.ts';
import type { Places } from './places.ts';
import { agentKey, parseAgentKey, type Subjects } from './subject.ts';

/** That messages wait for an agent. `left`: the stream itself was seen to have something. */
export interface MailHint {
  readonly type: string;
  readonly id: string;
  readonly left: boolean;
}

/** Our own ones so long after a claim that activated nothing. */
const SOON_MS = 200;
/** Hints for one node that wait to be sent; one more is lost, and the next round finds what it was about. */
const HINTS = 10_000;
/** In one message. */
const HINTS_AT_ONCE = 500;
/** On-demand agents spawned at a time. */
const SPAWNS = 16;

/**
 * Who is told that stored messages wait. Only hints, and each may be lost: an activation reads by itself from where its agent is, and
 * what nobody reads is found by the round.
 */
export interface MailWakes {
  /** Something was stored. */
  stored(type: string, id: string): void;
  /** Another node says so. */
  hinted(hints: readonly MailHint[]): void;
  /** Agents were claimed that are not active. */
  claimed(): void;
  stop(): void;
}

export function mailWakes(options: {
  readonly self: { readonly node: string; readonly incarnation: number };
  readonly system: System;
  readonly stream: Stream;
  readonly subjects: Subjects;
  readonly places: () => Places;
  readonly members: Members;
  readonly locals: () => LocalAgents;
  readonly boxes: Mailboxes;
  readonly demand: Demand;
  readonly runs: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly storeMs: number;
  /** Everybody's mailboxes are looked at so often, by one node. */
  readonly roundMs: number;
}): MailWakes {
  const { self, system, subjects, members, boxes, clock, random, log } = options;
  const outgoing = new Map<string, { readonly node: string; readonly incarnation: number; readonly hints: Map<string, MailHint> }>();
  const waking = new Set<string>();
  let sending: Cancel | undefined;
  let soon: Cancel | undefined;
  let stopped = false;

  const send = (): void => {
    sending = undefined;
    for (const { node, incarnation, hints } of outgoing.values()) {
      const all = [...hints.values()];
      for (let from = 0; from < all.length; from += HINTS_AT_ONCE)
        endpointRef(system, node, incarnation).tell({ type: 'mail', hints: all.slice(from, from + HINTS_AT_ONCE) });
    }
    outgoing.clear();
  };
  const tell = (node: string, incarnation: number, key: string, hint: MailHint): void => {
    const name = `${node}.${incarnation}`;
    const to = outgoing.get(name) ?? { node, incarnation, hints: new Map() };
    outgoing.set(name, to);
    if (to.hints.size < HINTS) to.hints.set(key, hint);
    sending ??= clock.after(0, send);
  };
  /** It is ours: if it was put away it is woken, and reads its mailbox then. What is left though it was handled is deleted by the look. */
  const here = (key: string, left: boolean): void => {
    if (boxes.look(key, left) || waking.has(key)) return;
    waking.add(key);
    const settled = (): void => void waking.delete(key);
    const woken = (): void => {
      settled();
      if (left) boxes.look(key, left);
    };
    options.locals().awaken(key).then(woken, settled);
  };
  /** Nobody has it: it is there as soon as something waits for it, if it is of such a type. */
  const wanting = ({ type, id }: MailHint): Promise<unknown> | undefined =>
    options
      .demand(type, id)
      ?.catch((error) => log.debug({ agent: `${type}/${id}`, error: String(error) }, 'an agent with stored messages was not spawned'));
  const wake = (hint: MailHint): Promise<unknown> | undefined => {
    const key = agentKey(hint.type, hint.id);
    if (options.locals().has(key)) {
      here(key, hint.left);
      return undefined;
    }
    const place = options.places().get(key)?.value;
    if (place === undefined || place.desired === 'stopped') return wanting(hint);
    const { owner } = place;
    if (owner !== undefined && owner.node !== self.node && !members.isGone(owner.node, owner.incarnation))
      tell(owner.node, owner.incarnation, key, hint);
    return undefined;
  };

  const left = async (): Promise<readonly MailHint[]> => {
    const found: MailHint[] = [];
    const prefix = subjects.recordAll('mailbox').slice(0, -1);
    try {
      const counts = await options.stream.subjects(subjects.recordAll('mailbox'), { timeoutMs: options.storeMs });
      for (const subject of counts.keys()) {
        try {
          found.push({ ...parseAgentKey(subject.slice(prefix.length)), left: true });
        } catch {
          log.debug({ subject }, 'a subject of the mailboxes that is no agent’s');
        }
      }
    } catch (error) {
      log.debug({ error: String(error) }, 'the mailboxes could not be listed; the next round does');
    }
    return found;
  };
  /** Everybody who sees the same members has the same one look. */
  const isLooker = (): boolean => {
    const candidates = members
      .all()
      .filter((member) => member.state === 'up' && !member.suspended && !member.suspect && member.capacity > 0);
    return rendezvous({ type: 'mailbox', id: subjects.cluster }, candidates)[0]?.node === self.node;
  };
  const round = async (): Promise<void> => {
    if (stopped) return;
    again = clock.after(options.roundMs * (0.75 + random.next() / 2), () => void round());
    if (!options.runs() || !isLooker()) return;
    await inParallel(await left(), SPAWNS, async (hint) => {
      if (!stopped) await wake(hint);
    });
  };
  let again = clock.after(options.roundMs * (0.5 + random.next() / 2), () => void round());

  const hinted = (hints: readonly MailHint[]): void => {
    for (const { type, id, left } of hints) {
      const key = agentKey(type, id);
      if (options.locals().has(key)) here(key, left);
    }
  };
  return {
    stored: (type, id) => {
      if (!stopped) void wake({ type, id, left: false });
    },
    hinted,
    claimed() {
      soon ??= clock.after(SOON_MS, async () => {
        soon = undefined;
        if (!stopped && options.runs()) hinted(await left());
      });
    },
    stop() {
      stopped = true;
      again();
      soon?.();
      sending?.();
    },
  };
}
