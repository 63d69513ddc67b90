import type { NodeId } from '../actor/address.ts';
import { fieldsOf } from '../durable/record-fields.ts';
import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';

/** What the cluster knows of a node: its record, and on top of it what its beats say. */
export interface Member {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly state: 'joining' | 'up' | 'leaving' | 'gone';
  /** A hint on top of the state: not heard of lately, by this node. */
  readonly suspect: boolean;
  readonly cordoned: boolean;
  /** From beats: hints. */
  readonly suspended: boolean;
  readonly admits: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacity: number;
  readonly version: string;
  readonly wireVersions: readonly number[];
  /** Agent types it can run, with their versions. */
  readonly types: Readonly<Record<string, number>>;
}

/** The part of a member that is stored, under its node's name. Written only by the member, its launcher and a judge. */
export interface MemberRecord extends Omit<Member, 'node' | 'suspect' | 'suspended' | 'admits'> {
  /** Fresh at each join: two that join under one name in one millisecond tell by it whose record it is. */
  readonly session: string;
  /** With the state gone: whose word that is. A launcher saw its process end, a judge its silence, or it said so itself. */
  readonly cause?: GoneCause | undefined;
}
export type GoneCause = 'left' | 'crash' | 'lease';

/** The version of an agent type that a member runs; undefined if it does not run it. Type names come from strangers. */
export const runs = (member: Pick<Member, 'types'>, type: string): number | undefined =>
  Object.hasOwn(member.types, type) ? member.types[type] : undefined;

/** `n.i` is gone ⇔ a record of n with a higher incarnation was read, or this one with the state gone. Absence proves nothing. */
export const provesGone = (record: Pick<MemberRecord, 'incarnation' | 'state'>, incarnation: number): boolean =>
  record.incarnation > incarnation || (record.incarnation === incarnation && record.state === 'gone');

const STATES: readonly unknown[] = ['joining', 'up', 'leaving', 'gone'] satisfies readonly Member['state'][];
const isState = (value: unknown): value is Member['state'] => STATES.includes(value);

/** Layout 1: fields are only ever added at its end. 1.1 added the cause. */
export const encodeMember = (record: MemberRecord, codec: Codec): Uint8Array =>
  codec.encode([
    1,
    record.incarnation,
    record.state,
    record.cordoned,
    record.labels,
    record.capacity,
    record.version,
    record.wireVersions,
    record.types,
    record.session,
    record.cause ?? null,
  ]);

/** @throws NexaError `corrupt-record`, `unknown-version`. */
export function decodeMember(bytes: Uint8Array, codec: Codec, key: string): MemberRecord {
  const [, incarnation, state, cordoned, labels, capacity, release, wireVersions, types, session, cause] = fieldsOf(
    bytes,
    codec,
    'a member record',
    [1],
    { key },
  );
  if (typeof incarnation !== 'number' || !isState(state) || typeof capacity !== 'number' || !Array.isArray(wireVersions)) {
    throw new NexaError('corrupt-record', 'a member record with fields of the wrong kind', { where: { key } });
  }
  return {
    incarnation,
    state,
    cordoned: cordoned === true,
    labels: (labels ?? {}) as Record<string, string>,
    capacity,
    version: String(release),
    wireVersions: wireVersions as number[],
    types: (types ?? {}) as Record<string, number>,
    session: String(session),
    cause: cause === 'left' || cause === 'crash' || cause === 'lease' ? cause : undefined,
  };
}
