import type { NodeId } from '../actor/address.ts';
import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';
import { causeOf, decodeMoves, encodeMoves, type Move, type MoveCause } from './move.ts';

/** What every node keeps of an agent's record. */
export interface Place {
  readonly type: string;
  readonly id: string;
  readonly owner: { readonly node: NodeId; readonly incarnation: number } | undefined;
  /** Who has the head start in claiming it. */
  readonly prefer?: NodeId;
  readonly desired: 'running' | 'stopped' | 'quarantined';
  /** With an owner: its epoch. */
  readonly revision: number;
}

export type Restart = 'permanent' | 'transient' | 'temporary';
export interface PlacementWish {
  readonly strategy?: 'least-loaded' | 'rendezvous' | 'local';
  readonly node?: NodeId;
  readonly labels?: Readonly<Record<string, string>>;
}

/** An agent's whole record. Its revision is not part of it: the store gives it, and with an owner it is the epoch. */
export interface AgentRecord {
  readonly type: string;
  readonly id: string;
  /** What a spawner repeats to create nothing new (C8); empty if none was given. */
  readonly spawnId: string;
  /** Of this write alone: tells after an unknown outcome whether it was ours. */
  readonly nonce: string;
  /** At most 16 kB encoded. */
  readonly config: unknown;
  readonly restart: Restart;
  readonly placement: PlacementWish;
  readonly desired: Place['desired'];
  readonly owner: Place['owner'];
  readonly prefer: NodeId | undefined;
  /** The highest version of its type that ever owned it. */
  readonly version: number;
  /** Why it is where it is: shown by `nexa ps` and by the events of a move. */
  readonly why: string;
  readonly cause: MoveCause;
  /** Where it has been, newest last; bounded. Not kept in copies. */
  readonly moves: readonly Move[];
}

/** What a spawn asks for; the node that runs it adds the rest. */
export type AgentSpec = Omit<AgentRecord, 'owner' | 'nonce' | 'cause' | 'moves'>;

/**
 * Layout 1: fields are only ever added at its end, and a reader that does not know them leaves them out. 1.1 added cause and moves.
 * @throws NexaError `not-encodable` for a config that is no data.
 */
export const encodeAgent = (record: AgentRecord, codec: Codec): Uint8Array =>
  codec.encode([
    1,
    record.type,
    record.id,
    record.spawnId,
    record.nonce,
    record.config ?? null,
    record.restart,
    record.placement,
    record.desired,
    record.owner === undefined ? null : [record.owner.node, record.owner.incarnation],
    record.prefer ?? null,
    record.version,
    record.why,
    record.cause,
    encodeMoves(record.moves),
  ]);

/** @throws NexaError `corrupt-record`, `unknown-version`. */
export function decodeAgent(bytes: Uint8Array, codec: Codec, key: string): AgentRecord {
  const fields = codec.decode(bytes);
  if (!Array.isArray(fields)) throw new NexaError('corrupt-record', 'an agent record is no array', { where: { key } });
  const [layout, type, id, spawnId, nonce, config, restart, placement, desired, owner, prefer, version, why, cause, moves] = fields;
  if (layout !== 1) throw new NexaError('unknown-version', `an agent record of version ${String(layout)}`, { where: { key } });
  if (
    typeof type !== 'string' ||
    typeof id !== 'string' ||
    typeof version !== 'number' ||
    !['running', 'stopped', 'quarantined'].includes(desired)
  ) {
    throw new NexaError('corrupt-record', 'an agent record with fields of the wrong kind', { where: { key } });
  }
  return {
    type,
    id,
    spawnId: String(spawnId),
    nonce: String(nonce),
    config: config ?? undefined,
    restart,
    placement: placement ?? {},
    desired,
    owner: Array.isArray(owner) ? { node: String(owner[0]), incarnation: Number(owner[1]) } : undefined,
    prefer: typeof prefer === 'string' ? prefer : undefined,
    version,
    why: String(why),
    cause: causeOf(cause),
    moves: decodeMoves(moves),
  };
}

const NO_MOVES: readonly Move[] = [];
/** What copies keep: configuration and history may be large, and a claimer takes them from a leader read anyway. */
export const forCopy = (record: AgentRecord): AgentRecord => ({ ...record, config: undefined, moves: NO_MOVES });
