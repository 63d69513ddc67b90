import { expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { DEFAULT_TIMES } from '../../src/cluster/config.ts';
import type { Copy } from '../../src/cluster/copy.ts';
import { keepLease } from '../../src/cluster/lease-keeper.ts';
import type { MemberRecord } from '../../src/cluster/member.ts';
import { virtualClock } from '../../src/memory/virtual-clock.ts';
import type { Kv, Written } from '../../src/ports/stores.ts';
import { tracing } from '../../supervisors/testkit/tracing.ts';

const record: MemberRecord = {
  ...{ incarnation: 1, session: 's', state: 'up', cordoned: false, labels: {}, capacity: 1, version: '0', wireVersions: [2], types: {} },
};

/** A holder whose renewals are answered when the test says so. */
function held() {
  const clock = virtualClock();
  const seen: string[] = [];
  const answers: ((written: Written) => void)[] = [];
  const update = (): Promise<Written> => new Promise((resolve) => void answers.push(resolve));
  const keeper = keepLease({
    ...{ self: { node: 'n1', incarnation: 1 }, revision: 1, members: { update } as unknown as Kv, codec: createCodec(), clock },
    copy: () => ({ apply: () => undefined, entries: () => [].values() }) as unknown as Copy<MemberRecord>,
    ...{ times: DEFAULT_TIMES, log: tracing(() => undefined), record: () => record, onRenewed: () => keeper.beatHeard() },
    ...{ onSuspend: () => void seen.push('suspend'), onResume: () => void seen.push('resume'), onOver: () => void seen.push('over') },
    ...{ announce: () => undefined, moveControl: () => undefined, moveData: () => undefined },
  });
  let revision = 1;
  const answer = async (): Promise<void> => {
    answers.shift()?.({ written: 'yes', revision: ++revision });
    await new Promise<void>((resolve) => setImmediate(resolve));
  };
  return { clock, keeper, seen, answers, answer };
}

test('whoever was told between two ticks that the lease is over is told that it is back', async () => {
  const { clock, keeper, seen, answers, answer } = held();
  clock.advance(1);
  await answer();
  expect(seen).toEqual(['resume']);
  expect(keeper.owns()).toBe(true);
  clock.advance(1_000);
  expect(answers).toHaveLength(1);

  clock.jumpWall(10_000);
  expect(keeper.owns()).toBe(false);
  clock.jumpWall(-10_000);
  await answer();
  expect(keeper.owns()).toBe(true);
  expect(seen).toEqual(['resume', 'suspend', 'resume']);
  keeper.stop();
});

test('nobody is told anything while it lasts', async () => {
  const { clock, keeper, seen, answer } = held();
  clock.advance(1);
  await answer();
  for (let second = 0; second < 5; second++) {
    clock.advance(1_000);
    expect(keeper.owns()).toBe(true);
    await answer();
  }
  expect(seen).toEqual(['resume']);
  keeper.stop();
});
