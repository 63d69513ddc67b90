import { appendList, type ListOp, type ListResult } from '../../../chaos/checkers/append-list.ts';
import { exactlyOnceCounter } from '../../../chaos/checkers/exactly-once-counter.ts';
import { linearizable } from '../../../chaos/checkers/linearizable.ts';
import { type CounterOp, type CounterResult, type RegisterOp, type RegisterResult, registerModel } from '../../../chaos/checkers/models.ts';
import type { Operation } from '../../../chaos/history.ts';
import { counterWorkload } from '../../../chaos/workloads/counter.ts';
import { listWorkload } from '../../../chaos/workloads/list.ts';
import { registerWorkload } from '../../../chaos/workloads/register.ts';
import { asks } from './load.ts';

const counts = (operations: readonly Operation<CounterOp, CounterResult>[], finals: ReadonlyMap<number, CounterResult>) =>
  exactlyOnceCounter(operations, new Map([...finals].map(([key, { value }]) => [key, value])));

export const counters = asks<CounterOp, CounterResult>({
  type: 'counter',
  perSecond: 3,
  drive: counterWorkload,
  final: { type: 'get' },
  judge: counts,
});
/** Nobody spawns them, and they are put away between most of their messages. */
export const visitors = asks<CounterOp, CounterResult>({
  type: 'visitor',
  spawns: false,
  perSecond: 1,
  drive: counterWorkload,
  final: { type: 'get' },
  judge: counts,
});
export const registers = asks<RegisterOp, RegisterResult>({
  type: 'register',
  perSecond: 3,
  drive: registerWorkload,
  final: { type: 'read' },
  judge: (operations) => linearizable(registerModel, operations, { maxStates: 300_000 }),
});
export const lists = asks<ListOp, ListResult>({
  type: 'list',
  perSecond: 3,
  drive: listWorkload,
  final: { type: 'read' },
  judge: appendList,
});
export const journals = asks<ListOp, ListResult>({
  type: 'journal',
  perSecond: 3,
  drive: listWorkload,
  final: { type: 'read' },
  judge: appendList,
});
