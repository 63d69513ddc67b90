import type { NodeId } from '../actor/address.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Logger } from '../ports/logger.ts';
import type { Kv, Written } from '../ports/stores.ts';
import { type ClusterTimes, ownedForMs } from './config.ts';
import type { Copy } from './copy.ts';
import type { OverReason } from './fenced.ts';
import { instant } from './join.ts';
import { type JudgeInput, type JudgeState, judge, NO_CREDIT } from './judge.ts';
import { type Instant, type LeaseEffect, type LeaseInput, type LeaseState, lease, leaseOf, owns } from './lease.ts';
import { decodeMember, encodeMember, type MemberRecord } from './member.ts';
import { memberKey } from './subject.ts';

export interface LeaseKeeper {
  /** Whether this node may act for its exclusive agents at this instant (C2). */
  owns(): boolean;
  readonly suspended: boolean;
  beatHeard(): void;
  /** A record of this node that the copy shows. */
  seen(record: MemberRecord, revision: number): void;
  copyRestarted(): void;
  /** Renews at once, so that a changed record is seen; resolves when a renewal sent from now on succeeded. */
  renewNow(): Promise<void>;
  stop(): void;
}

/** How often the holder looks at its clocks: suspending is a courtesy, the gates ask for themselves. */
const tickMs = ({ renewMs }: ClusterTimes): number => renewMs / 5;

/** Runs the steps of the lease and of the judge: renewals, watchdogs, and the verdict over silent members. */
export function keepLease(options: {
  readonly self: { readonly node: NodeId; readonly incarnation: number };
  readonly revision: number;
  readonly members: Kv;
  readonly copy: () => Copy<MemberRecord>;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly times: ClusterTimes;
  readonly log: Logger;
  /** What a renewal writes. */
  readonly record: () => MemberRecord;
  readonly onRenewed: () => void;
  readonly onSuspend: () => void;
  readonly onResume: () => void;
  readonly onOver: (reason: OverReason) => void;
  /** Tells the others that a member's record has a new revision worth reading. */
  readonly announce: (node: NodeId, revision: number) => void;
  readonly moveControl: () => void;
  readonly moveData: () => void;
}): LeaseKeeper {
  const { self, members, codec, clock, times, log } = options;
  const key = memberKey(self.node);
  const within = { timeoutMs: times.storeMs };
  const stepLease = lease(times);
  const stepJudge = judge(times);
  // Nothing may act before a renewal of this very process succeeded: whoever joined for it has other clocks.
  const now = instant(clock);
  const since = ownedForMs(times);
  let state: LeaseState = {
    ...leaseOf(self.incarnation, options.revision, {
      monotonicMs: now.monotonicMs - since,
      wallMs: now.wallMs - since,
      bootMs: now.bootMs - since,
    }),
    quietSinceMs: now.monotonicMs,
    beatHeardAtMs: now.monotonicMs,
    nextRenewalAtMs: now.monotonicMs,
    suspended: true,
  };
  let judging: JudgeState = NO_CREDIT;
  let announced = '';
  let stopped = false;
  /** Since the last renewal. It may have lapsed between two ticks: whoever asked just then waits all the same. */
  let toldNo = false;
  let waiting: { readonly sinceMs: number; readonly done: () => void }[] = [];

  const input = (given: LeaseInput): void => {
    if (stopped) return;
    const [next, effects] = stepLease(state, given, clock.monotonicMs());
    state = next;
    for (const effect of effects) run(effect);
  };
  const run = (effect: LeaseEffect): void => {
    switch (effect.effect) {
      case 'renew':
        return void renew(effect.revision, effect.sent);
      case 'read':
        return void readBack();
      case 'suspend':
        log.warn({ node: self.node }, 'suspended: the lease was not renewed in time');
        return options.onSuspend();
      case 'resume':
        log.info({ node: self.node }, 'resumed: the lease is renewed');
        return options.onResume();
      case 'over':
        stopped = true;
        return options.onOver(effect.reason);
      case 'move-control':
        log.warn({ node: self.node }, 'no successful renewal: trying another server');
        return options.moveControl();
      case 'move-data':
        log.warn({ node: self.node }, 'own beats are not heard: the data connection follows');
        return options.moveData();
    }
  };
  const renew = async (revision: number, sent: Instant): Promise<void> => {
    const record = options.record();
    const written = await guarded(() => members.update(key, encodeMember(record, codec), revision, within));
    if (written.written !== 'yes') return input({ input: 'doubtful' });
    options.copy().apply(key, record, written.revision);
    const face = `${record.state} ${record.cordoned}`;
    if (announced !== face) options.announce(self.node, written.revision);
    announced = face;
    if (toldNo) input({ input: 'lapsed' });
    toldNo = false;
    input({ input: 'renewed', sent, revision: written.revision });
    if (stopped) return;
    const done = waiting.filter((waiter) => waiter.sinceMs <= sent.monotonicMs);
    waiting = waiting.filter((waiter) => waiter.sinceMs > sent.monotonicMs);
    for (const waiter of done) waiter.done();
    options.onRenewed();
    judgeInput({ input: 'renewed', members: others() });
    if (waiting.length > 0) renewSoon();
  };
  const renewSoon = (): void => {
    state = { ...state, nextRenewalAtMs: clock.monotonicMs() };
    input({ input: 'tick', now: instant(clock) });
  };
  const readBack = async (): Promise<void> => {
    try {
      const found = await members.get(key, within);
      if (found === undefined) return input({ input: 'read-failed' });
      options.copy().hint(key, found.revision);
      const record = decodeMember(found.value, codec, key);
      input({ input: 'seen', incarnation: record.incarnation, gone: record.state === 'gone', revision: found.revision });
    } catch {
      input({ input: 'read-failed' });
    }
  };
  const others = (): ReadonlyMap<NodeId, number> => {
    const seen = new Map<NodeId, number>();
    for (const entry of options.copy().entries())
      if (entry.key !== key && entry.value.state !== 'gone') seen.set(entry.key, entry.revision);
    return seen;
  };
  const judgeInput = (given: JudgeInput): void => {
    const [next, effects] = stepJudge(judging, given, clock.monotonicMs());
    judging = next;
    for (const effect of effects) void declare(effect.node, effect.revision);
  };
  const declare = async (node: NodeId, revision: number): Promise<void> => {
    const entry = options.copy().get(node);
    if (stopped || entry === undefined || entry.revision !== revision) return judgeInput({ input: 'refused', node });
    const gone: MemberRecord = { ...entry.value, state: 'gone', cause: 'lease' };
    const written = await guarded(() => members.update(node, encodeMember(gone, codec), revision, within));
    if (written.written !== 'yes') return judgeInput({ input: 'refused', node });
    log.warn({ node, incarnation: gone.incarnation }, 'declared gone: it did not renew its lease');
    options.copy().apply(node, gone, written.revision);
    options.announce(node, written.revision);
  };
  const guarded = async (write: () => Promise<Written>): Promise<Written> => {
    try {
      return await write();
    } catch (error) {
      log.warn({ node: self.node, error: String(error) }, 'a member record could not be written');
      return { written: 'unknown' };
    }
  };
  const tick = (): void => {
    if (stopped) return;
    cancelTick = clock.after(tickMs(times), tick);
    input({ input: 'tick', now: instant(clock) });
  };
  let cancelTick = clock.after(0, tick);

  return {
    owns() {
      const does = !stopped && owns(state, instant(clock), times);
      toldNo ||= !does;
      return does;
    },
    get suspended() {
      return state.suspended;
    },
    beatHeard: () => input({ input: 'beat-heard' }),
    seen(record, revision) {
      if (record.incarnation > self.incarnation || record.state === 'gone') {
        input({ input: 'seen', incarnation: record.incarnation, gone: record.state === 'gone', revision });
      }
    },
    copyRestarted: () => judgeInput({ input: 'copy-restarted' }),
    renewNow() {
      return new Promise((done) => {
        waiting.push({ sinceMs: clock.monotonicMs(), done });
        renewSoon();
      });
    },
    stop() {
      stopped = true;
      cancelTick();
    },
  };
}
