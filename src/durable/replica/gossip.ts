import { hash } from '../../cluster/placement.ts';
import type { Step } from '../../cluster/step.ts';
import { type NexaError, toNexaError } from '../../errors.ts';
import { canonical, exactly, fieldsOf, misfit } from './plain.ts';
import type { Replicated } from './replicated.ts';

/** What one replica keeps: plain data, made to be an agent's state. */
export interface GossipState<Value> {
  readonly value: Value;
  /** What changed here and was told to nobody yet; null: nothing, or too much for one message, which digests find. */
  readonly pending: Value | null;
}
/**
 * A round: `summary`, from time to time, to one peer; if that peer knows another value it answers with its `digest`; then each sends
 * the other what it lacks. A round may be lost at any point: the next one begins anew.
 */
export type GossipMessage =
  | { readonly type: 'summary'; readonly hash: string; readonly delta?: unknown }
  | { readonly type: 'digest'; readonly digest: unknown }
  | { readonly type: 'delta'; readonly delta?: unknown; readonly digest?: unknown };
export type GossipInput<Value> =
  /** A change made here, by its delta. */
  | { readonly input: 'changed'; readonly delta: Value }
  /** It is time for a round. `draw`: 0 ≤ draw < 1, which picks one of the peers (`context.random.next()`). */
  | { readonly input: 'tick'; readonly peers: readonly string[]; readonly draw: number }
  /** From a peer, as it came. */
  | { readonly input: 'received'; readonly from: string; readonly message: unknown };
export type GossipEffect =
  | { readonly effect: 'send'; readonly to: string; readonly message: GossipMessage }
  /** `invalid-message` or `quota-exceeded`: nothing was taken of it. */
  | { readonly effect: 'refused'; readonly from: string; readonly error: NexaError };

/** Bytes of the deltas that wait for the next round, as JSON. */
const MOST_PENDING_BYTES = 65_536;

/**
 * Anti-entropy for one replicated value, as a step: no timer, no I/O. What has to be kept is its state; what has to be sent are its
 * effects. It sends nothing of a change before a later input, so a change is stored before anybody hears of it: a replica that
 * forgot a change, and then made another one of the same number, would be believed by nobody.
 */
export function gossip<Value, Digest>(
  kind: Replicated<Value, Digest>,
): Step<GossipState<Value>, GossipInput<Value>, GossipEffect> & {
  readonly initial: GossipState<Value>;
} {
  const summary = (value: Value): string => {
    const text = canonical(kind.digest(value), Number.POSITIVE_INFINITY);
    // Two of 32 bits: a pair of values that differ and look alike stays so until one of them changes.
    return [`0${text}`, `1${text}`].map((salted) => hash(salted).toString(36)).join('-');
  };
  const send = (to: string, message: GossipMessage): GossipEffect => ({ effect: 'send', to, message });

  const taken = (state: GossipState<Value>, delta: Value): GossipState<Value> => {
    const news = kind.deltaSince(delta, kind.digest(state.value));
    return news === undefined ? state : { ...state, value: kind.merge(state.value, news) };
  };
  const changed = (state: GossipState<Value>, delta: Value): GossipState<Value> => {
    const after = taken(state, delta);
    if (after === state) return state;
    const pending = kind.merge(state.pending ?? kind.empty, delta);
    return { ...after, pending: canonical(pending).length > MOST_PENDING_BYTES ? null : pending };
  };
  const tick = (
    state: GossipState<Value>,
    { peers, draw }: { readonly peers: readonly string[]; readonly draw: number },
  ): readonly [GossipState<Value>, readonly GossipEffect[]] => {
    const to = peers[Math.floor(draw * peers.length)];
    if (to === undefined) return [state, []];
    const message = { type: 'summary', hash: summary(state.value) } as const;
    if (state.pending === null) return [state, [send(to, message)]];
    return [{ ...state, pending: null }, [send(to, { ...message, delta: state.pending })]];
  };
  const received = (
    state: GossipState<Value>,
    from: string,
    message: Parsed<Value, Digest>,
  ): readonly [GossipState<Value>, readonly GossipEffect[]] => {
    const after = message.delta === undefined ? state : taken(state, message.delta);
    const { digest } = message;
    switch (message.type) {
      case 'summary':
        return [after, message.hash === summary(after.value) ? [] : [send(from, { type: 'digest', digest: kind.digest(after.value) })]];
      case 'digest':
      case 'delta': {
        const delta = digest === undefined ? undefined : kind.deltaSince(after.value, digest);
        const answer = {
          ...(delta === undefined ? {} : { delta }),
          ...(message.type === 'digest' ? { digest: kind.digest(after.value) } : {}),
        };
        return [after, delta === undefined && message.type === 'delta' ? [] : [send(from, { type: 'delta', ...answer })]];
      }
    }
  };

  const step: Step<GossipState<Value>, GossipInput<Value>, GossipEffect> = (state, input, nowMs) => {
    switch (input.input) {
      case 'changed':
        return [changed(state, input.delta), []];
      case 'tick':
        return tick(state, input);
      case 'received':
        try {
          return received(state, input.from, parsed(kind, input.message, nowMs));
        } catch (error) {
          return [state, [{ effect: 'refused', from: input.from, error: toNexaError(error, 'internal') }]];
        }
    }
  };
  return Object.assign(step, { initial: { value: kind.empty, pending: null } });
}

/** As {@link gossip} keeps it, from what was stored. @throws NexaError `invalid-message`. */
export function parseGossipState<Value>(kind: Replicated<Value>, data: unknown): GossipState<Value> {
  const { value, pending } = exactly(data, '', ['value', 'pending']);
  return { value: kind.parse(value), pending: pending === null ? null : kind.parse(pending) };
}

interface Parsed<Value, Digest> {
  readonly type: GossipMessage['type'];
  readonly hash?: string;
  readonly delta?: Value;
  readonly digest?: Digest;
}
function parsed<Value, Digest>(kind: Replicated<Value, Digest>, message: unknown, nowMs: number): Parsed<Value, Digest> {
  const { type, hash: told, delta, digest, ...rest } = Object.fromEntries(fieldsOf(message, '', 4));
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw misfit(unknown, 'is no field of a message between replicas');
  if (type !== 'summary' && type !== 'digest' && type !== 'delta') throw misfit('type', 'is none of summary, digest, delta');
  if (type === 'summary' && (typeof told !== 'string' || told.length > 32)) throw misfit('hash', 'is no summary');
  if (type === 'digest' && digest === undefined) throw misfit('digest', 'is missing');
  return {
    type,
    ...(type === 'summary' ? { hash: told as string } : {}),
    ...(delta === undefined ? {} : { delta: kind.parse(delta, nowMs) }),
    ...(digest === undefined ? {} : { digest: kind.parseDigest(digest) }),
  };
}
