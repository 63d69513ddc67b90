import type { NodeId } from '../actor/address.ts';
import { fieldsOf } from '../durable/record-fields.ts';
import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';
import { causeOf, decodeMoves, encodeMoves, type Move, type MoveCause } from './move.ts';
import { agentKey, parseAgentKey } from './subject.ts';

const DESIRED = ['running', 'stopped', 'quarantined'] as const;
const RESTARTS = ['permanent', 'transient', 'temporary'] as const;
export type Restart = (typeof RESTARTS)[number];
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
  readonly desired: (typeof DESIRED)[number];
  readonly owner: { readonly node: NodeId; readonly incarnation: number } | undefined;
  /** Who has the head start in claiming it. */
  readonly prefer: NodeId | undefined;
  /** The highest version of its type that ever owned it. */
  readonly version: number;
  /** Why it is where it is: shown by `nexa ps` and by the events of a move. */
  readonly why: string;
  readonly cause: MoveCause;
  /** Where it has been, newest last; bounded. */
  readonly moves: readonly Move[];
}

/** What every node keeps of an agent's record; its key names it. The rest may be large, and a claimer takes it from a leader read anyway. */
export type Place = Pick<AgentRecord, 'type' | 'owner' | 'prefer' | 'desired' | 'version' | 'placement' | 'restart' | 'why' | 'cause'>;

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
  const [, type, id, spawnId, nonce, config, restart, placement, desired, owner, prefer, version, why, cause, moves] = fieldsOf(
    bytes,
    codec,
    'an agent record',
    [1],
    { key },
  );
  if (
    typeof type !== 'string' ||
    typeof id !== 'string' ||
    typeof version !== 'number' ||
    !isOneOf(DESIRED, desired) ||
    !isOneOf(RESTARTS, restart) ||
    !isOwner(owner) ||
    !isWish(placement)
  ) {
    throw new NexaError('corrupt-record', 'an agent record with fields of the wrong kind', { where: { key } });
  }
  if (keyOf(type, id) !== key) throw new NexaError('corrupt-record', 'an agent record under the key of another one', { where: { key } });
  return {
    type,
    id,
    spawnId: String(spawnId),
    nonce: String(nonce),
    config: config ?? undefined,
    restart,
    placement: placement ?? {},
    desired,
    owner: owner === null ? undefined : { node: owner[0], incarnation: owner[1] },
    prefer: typeof prefer === 'string' ? prefer : undefined,
    version,
    why: String(why),
    cause: causeOf(cause),
    moves: decodeMoves(moves),
  };
}

const isOneOf = <T extends string>(all: readonly T[], value: unknown): value is T => (all as readonly unknown[]).includes(value);
const isOwner = (value: unknown): value is null | readonly [string, number] =>
  value === null || (Array.isArray(value) && typeof value[0] === 'string' && Number.isSafeInteger(value[1]));
const isWish = (value: unknown): value is PlacementWish | null | undefined =>
  value === null || value === undefined || (typeof value === 'object' && !Array.isArray(value));
/** Undefined: that is no agent's name. */
function keyOf(type: string, id: string): string | undefined {
  try {
    return agentKey(type, id);
  } catch {
    return undefined;
  }
}

/** What copies show of a record that nobody can read: an agent that is put aside, and whose record nobody may write. */
export function unreadablePlace(key: string, error: NexaError): Place {
  return {
    type: parseAgentKey(key).type,
    ...{
      restart: 'permanent',
      placement: {},
      desired: 'quarantined',
      owner: undefined,
      prefer: undefined,
      version: 0,
      cause: 'failed-start',
    },
    why: `${error.code}: ${error.message}`,
  };
}
