import type { NodeId } from '../actor/address.ts';
import type { Written } from '../ports/stores.ts';
import type { Joined, MemberStore } from './join.ts';
import { encodeMember, type MemberRecord } from './member.ts';
import { memberKey } from './subject.ts';

/** A node that has not renewed by itself by then is stuck: its name is to be free for the next incarnation. Milliseconds. */
const STARTING_MS = 300_000;

/**
 * Renews the record of a node that is starting, for whoever joined in its name: a lease does not wait until a slow disk or a large module of
 * agents is loaded. Each time by CAS on what was last written here, so the node's own first renewal ends it, and so does a judge. Usually there
 * is none: a start takes less than two renewals.
 * @returns what ends it.
 */
export function keepJoining(store: MemberStore, node: NodeId, record: Omit<MemberRecord, 'incarnation'>, joined: Joined): () => void {
  const { members, codec, clock, times } = store;
  const key = memberKey(node);
  const { incarnation, cordoned } = joined;
  const bytes = encodeMember({ ...record, incarnation, cordoned }, codec);
  const everyMs = 2 * times.renewMs;
  const untilMs = clock.monotonicMs() + STARTING_MS;
  let { revision } = joined;
  let ended = false;
  const renew = async (): Promise<void> => {
    // One whose outcome is unknown is repeated as it was: if it landed, this one is refused, and whose the record is now nobody here knows.
    const written = await members.update(key, bytes, revision, { timeoutMs: times.storeMs }).catch((): Written => ({ written: 'unknown' }));
    if (ended || written.written === 'no' || clock.monotonicMs() >= untilMs) return;
    if (written.written === 'yes') ({ revision } = written);
    cancel = clock.after(everyMs, renew);
  };
  let cancel = clock.after(everyMs, renew);
  return () => {
    ended = true;
    cancel();
  };
}
