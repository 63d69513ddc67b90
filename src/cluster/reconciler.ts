import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Kv } from '../ports/stores.ts';
import type { ClusterTimes } from './config.ts';
import type { Copy, Entry } from './copy.ts';
import { claimDelayMs, claimers, orphaned } from './failover.ts';
import type { LocalAgents } from './local-agents.ts';
import type { GoneCause, MemberRecord } from './member.ts';
import type { Members } from './members.ts';
import { merged } from './merged.ts';
import type { MoveCause } from './move.ts';
import type { Place } from './place.ts';
import type { Places } from './places.ts';
import { parseAgentKey } from './subject.ts';

const LOST = {
  crash: (node: string) => `node ${node} was lost: its process ended`,
  lease: (node: string) => `node ${node} was lost: it did not renew its lease`,
  left: (node: string) => `node ${node} left`,
} as const satisfies Record<GoneCause, unknown>;
/** Claims under way at once; the next one begins when one of them has ended. */
const CLAIMS = 256;

export interface Reconciler {
  /** A record changed, or everything might have. */
  look(key: string, now: Entry<Place> | undefined): void;
  lookAtAll(): void;
  /** A claim has ended, however it did. */
  claimEnded(): void;
  /** Not on this node for a while: an activation failed here. */
  exclude(key: string): void;
  /** Meant to run, and nobody qualifies. */
  readonly unplaced: number;
  stop(): void;
}

/**
 * Makes what runs equal to what the records say, by these rules alone: claim orphans when it is our turn, claim again what names
 * us and does not run here, stop what names somebody else above our epoch. What it sees are hints; every claim is a CAS.
 */
export function reconciler(options: {
  readonly self: { readonly node: string; readonly incarnation: number };
  readonly places: () => Places;
  readonly records: () => Copy<MemberRecord>;
  readonly agents: Kv;
  readonly memberStore: Kv;
  readonly members: Members;
  readonly locals: LocalAgents;
  /** May take agents: up, holding its lease, not leaving, not cordoned. */
  readonly admits: () => boolean;
  /** May run what is its own already. */
  readonly runs: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly times: ClusterTimes;
}): Reconciler {
  const { self, members, locals, clock, random, times } = options;
  const due = new Map<string, () => void>();
  /** Due, and waiting for one of the claims under way to end. */
  const ready = new Set<string>();
  const excluded = new Map<string, number>();
  /** First seen stopped, or gone, by this node's own clock. */
  const idleSince = new Map<string, { readonly revision: number; readonly atMs: number }>();
  let unplaced = new Set<string>();
  let stopped = false;

  const plan = (key: string, delayMs: number): void => {
    if (due.has(key) || ready.has(key)) return;
    const cancel = clock.after(delayMs, () => {
      due.delete(key);
      ready.add(key);
      claimNext();
    });
    due.set(key, cancel);
  };
  const claimNext = (): void => {
    for (const key of ready) {
      if (locals.claimsUnderWay >= CLAIMS) return;
      ready.delete(key);
      const now = options.places().get(key);
      if (stopped || now === undefined || !locals.idle(key) || !mayClaim(now.value)) continue;
      const { type, id } = parseAgentKey(key);
      if (namesUs(now.value) ? options.runs() : options.admits()) locals.claim(key, type, id, reasonOf(now.value));
    }
  };
  const namesUs = ({ desired, owner }: Place): boolean =>
    desired === 'running' && owner?.node === self.node && owner.incarnation === self.incarnation;
  const mayClaim = (place: Place): boolean => namesUs(place) || orphaned(place, members.isGone);
  const reasonOf = (place: Place): { readonly why: string; readonly cause: MoveCause } => {
    const { owner, why, cause } = place;
    if (owner === undefined) return { why, cause };
    if (namesUs(place)) return { why: 'its record named this node', cause: 'reclaimed' };
    const lost = options.records().get(owner.node)?.value;
    // A later incarnation took the name: then the earlier one had ended, however it did.
    const known = lost?.incarnation === owner.incarnation ? lost.cause : undefined;
    return { why: LOST[known ?? 'crash'](owner.node), cause: known ?? 'crash' };
  };

  const look = (key: string, now: Entry<Place> | undefined): void => {
    unplaced.delete(key);
    if (stopped || now === undefined) return;
    const place = now.value;
    // Whatever stands above our epoch and does not name us: somebody else wrote it.
    if (!namesUs(place)) locals.superseded(key, now.revision);
    if (!options.runs() || !locals.idle(key)) return;
    if (namesUs(place)) return plan(key, times.rankMs * random.next());
    if (!orphaned(place, members.isGone)) return;
    const barred = (excluded.get(key) ?? 0) > clock.monotonicMs();
    const all = members.all();
    const candidates = barred ? all.filter((member) => member.node !== self.node) : all;
    const agent = merged(place, { id: parseAgentKey(key).id });
    const delayMs = options.admits() ? claimDelayMs(self.node, agent, candidates, times.rankMs) : undefined;
    if (delayMs !== undefined) return plan(key, delayMs);
    if (claimers(agent, candidates).length === 0) unplaced.add(key);
  };

  const lookAtAll = (): void => {
    for (const entry of options.places().entries()) look(entry.key, entry);
  };
  /** Stopped records are kept for repeats of their spawn id, gone members as long as an agent names them; then they are deleted. */
  const sweep = (): void => {
    const nowMs = clock.monotonicMs();
    const named = new Set<string>();
    const present = new Set<string>();
    const old = (id: string, revision: number, keepMs: number): boolean => {
      present.add(id);
      const since = idleSince.get(id);
      if (since?.revision !== revision) idleSince.set(id, { revision, atMs: nowMs });
      return since?.revision === revision && nowMs - since.atMs >= keepMs * (1 + times.margin);
    };
    const within = { timeoutMs: times.storeMs };
    for (const entry of options.places().entries()) {
      if (entry.value.owner !== undefined) named.add(entry.value.owner.node);
      if (entry.value.desired === 'stopped' && old(`a.${entry.key}`, entry.revision, times.keepStoppedMs)) {
        void options.agents.delete(entry.key, entry.revision, within).catch(() => undefined);
      }
    }
    for (const entry of options.records().entries()) {
      if (entry.value.state === 'gone' && !named.has(entry.key) && old(`m.${entry.key}`, entry.revision, times.keepGoneMs)) {
        void options.memberStore.delete(entry.key, entry.revision, within).catch(() => undefined);
      }
    }
    for (const id of idleSince.keys()) if (!present.has(id)) idleSince.delete(id);
    for (const [key, untilMs] of excluded) if (untilMs <= nowMs) excluded.delete(key);
  };
  const round = (): void => {
    if (stopped) return;
    cancelRound = clock.after(times.reconcileMs * (0.75 + random.next() / 2), round);
    lookAtAll();
    if (options.admits()) sweep();
  };
  const again = (): void => {
    if (stopped) return;
    cancelAgain = clock.after(times.renewMs * (0.75 + random.next() / 2), again);
    const waiting = unplaced;
    unplaced = new Set();
    for (const key of waiting) look(key, options.places().get(key));
  };
  let cancelRound = clock.after(times.reconcileMs * random.next(), round);
  let cancelAgain = clock.after(times.renewMs, again);

  return {
    look,
    lookAtAll,
    claimEnded: claimNext,
    exclude: (key) => void excluded.set(key, clock.monotonicMs() + times.excludeMs),
    get unplaced() {
      return unplaced.size;
    },
    stop() {
      stopped = true;
      cancelRound();
      cancelAgain();
      for (const cancel of due.values()) cancel();
      due.clear();
      ready.clear();
    },
  };
}
