import type { NodeId } from '../actor/address.ts';
import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import { readStored } from '../ports/stored.ts';
import type { Kv } from '../ports/stores.ts';
import { requireCommonWire } from './common-wire.ts';
import { type ClusterTimes, silenceMs } from './config.ts';
import type { Instant } from './lease.ts';
import { decodeMember, encodeMember, type GoneCause, type MemberRecord } from './member.ts';
import { memberKey } from './subject.ts';

export interface Joined {
  readonly incarnation: number;
  readonly revision: number;
  /** When the join was sent: the lease counts from here. */
  readonly sent: Instant;
  /** It takes over the cordon of an incarnation that was lost; one that left took its cordon with it. */
  readonly cordoned: boolean;
}

export interface MemberStore {
  readonly members: Kv;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly times: ClusterTimes;
}

const readMember = ({ value, revision }: NonNullable<Awaited<ReturnType<Kv['get']>>>, codec: Codec, key: string): MemberRecord =>
  readStored({ store: 'MEMBERS', key, revision }, () => decodeMember(value, codec, key));
export const instant = (clock: Clock): Instant => ({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs(), bootMs: clock.bootMs() });
/** Seen within one ttl they show that a name's holder lives; it makes four or five. */
const RENEWALS = 3;
const wait = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(ms, resolve);
  });

/**
 * A new incarnation of a node: one CAS over nothing or over a record that is gone. A record of another incarnation that stays
 * silent is judged by the joiner itself, at the very revision it watched for ttl + margin of answered reads.
 * @throws NexaError `conflict` (the name is in use: its holder goes on renewing after twice the ttl), `unknown-version` (there is a
 *   member with which it has no wire version in common), `corrupt-record`, `unavailable`.
 */
export async function join(
  store: MemberStore,
  node: NodeId,
  record: Omit<MemberRecord, 'incarnation'>,
  options: { readonly timeoutMs: number },
): Promise<Joined> {
  const { members, codec, clock, times } = store;
  const key = memberKey(node);
  const within = { timeoutMs: times.storeMs };
  const startedMs = clock.monotonicMs();
  await requireCommonWire(store, node, record.wireVersions);
  let silent: { revision: number; creditMs: number; atMs: number } | undefined;
  /** When the last few renewals of the holder were seen. One alone may be an old one that a late read shows. */
  let renewedAtMs: readonly number[] = [];
  for (;;) {
    if (clock.monotonicMs() - startedMs > options.timeoutMs) {
      throw new NexaError('unavailable', `node ${node} could not join within ${options.timeoutMs} ms`, {
        where: { node },
        fix: 'Check that the store has a quorum.',
      });
    }
    let found: Awaited<ReturnType<Kv['get']>>;
    try {
      found = await members.get(key, within);
    } catch {
      await wait(clock, 200);
      continue;
    }
    const there = found === undefined ? undefined : readMember(found, codec, key);
    if (there !== undefined && found !== undefined && there.state !== 'gone') {
      if (there.session === record.session) {
        // Our own join landed though its answer was lost. Taking it over by a further CAS makes the lease count from a known send.
        const sent = instant(clock);
        const { incarnation, cordoned } = there;
        const written = await members.update(key, encodeMember({ ...record, incarnation, cordoned }, codec), found.revision, within);
        if (written.written === 'yes') return { incarnation, revision: written.revision, sent, cordoned };
        continue;
      }
      // A read that shows less than an earlier one is late, and says nothing.
      const nowMs = clock.monotonicMs();
      if (silent === undefined || found.revision > silent.revision) {
        if (silent !== undefined) renewedAtMs = [...renewedAtMs, nowMs].slice(-RENEWALS);
        silent = { revision: found.revision, creditMs: 0, atMs: nowMs };
      } else if (found.revision === silent.revision) {
        silent = { revision: found.revision, creditMs: silent.creditMs + Math.min(nowMs - silent.atMs, 2 * times.renewMs), atMs: nowMs };
        if (silent.creditMs > silenceMs(times)) {
          await members.update(key, encodeMember({ ...there, state: 'gone' }, codec), found.revision, within);
          silent = undefined;
          continue;
        }
      }
      const [first, ...later] = renewedAtMs;
      const holds = first !== undefined && later.length === RENEWALS - 1 && nowMs - first < times.ttlMs;
      if (holds && nowMs - startedMs > 2 * times.ttlMs) {
        throw new NexaError('conflict', `a node named ${node} is running in this cluster`, {
          where: { node },
          fix: 'Choose another --name, or stop the other one.',
        });
      }
      await wait(clock, Math.min(times.renewMs / 2, 500));
      continue;
    }
    const incarnation = Math.max((there?.incarnation ?? 0) + 1, Math.floor(clock.wallMs()));
    const cordoned = record.cordoned || (there?.cordoned === true && there.cause !== 'left');
    const sent = instant(clock);
    const value = encodeMember({ ...record, incarnation, cordoned }, codec);
    const written =
      found === undefined ? await members.create(key, value, within) : await members.update(key, value, found.revision, within);
    if (written.written === 'yes') return { incarnation, revision: written.revision, sent, cordoned };
    await wait(clock, 100);
  }
}

/**
 * Declares one incarnation gone, for whoever holds proof: its launcher after the process's exit, or the member itself at the end
 * of a graceful leave. Repeated while the record still shows that incarnation.
 * @returns the revision of the record that says so, or undefined when it already moved on.
 * @throws NexaError `unavailable` after `timeoutMs`.
 */
export async function declareGone(
  store: MemberStore,
  node: NodeId,
  incarnation: number,
  options: { readonly timeoutMs: number; readonly cause: Extract<GoneCause, 'left' | 'crash'> },
): Promise<number | undefined> {
  const { members, codec, clock, times } = store;
  const key = memberKey(node);
  const startedMs = clock.monotonicMs();
  let waitMs = 0;
  while (clock.monotonicMs() - startedMs <= options.timeoutMs) {
    if (waitMs > 0) await wait(clock, waitMs);
    waitMs = Math.min(Math.max(waitMs * 2, 50), 1_000);
    try {
      const found = await members.get(key, { timeoutMs: times.storeMs });
      if (found === undefined) return undefined;
      const record = readMember(found, codec, key);
      if (record.incarnation > incarnation) return undefined;
      if (record.incarnation === incarnation && record.state === 'gone') return found.revision;
      if (record.incarnation < incarnation) continue; // a read from before it joined
      const written = await members.update(key, encodeMember({ ...record, state: 'gone', cause: options.cause }, codec), found.revision, {
        timeoutMs: times.storeMs,
      });
      if (written.written === 'yes') return written.revision;
    } catch {
      // Not answered: asked again until the time is over.
    }
  }
  throw new NexaError('unavailable', `${node} could not be declared gone`, { where: { node, incarnation: String(incarnation) } });
}
