import { appendList, type ListOp, type ListResult } from '../checkers/append-list.ts';
import { askedWork } from './asked.ts';
import { drive, type WorkloadOptions } from './drive.ts';

/** Appends of values that nobody else appends, and reads, on one list per key: what nobody knows is repeated under its request id. */
export function listWorkload(options: WorkloadOptions<ListOp, ListResult>): Promise<void> {
  let appended = 0;
  return drive({
    ...options,
    retries: 3,
    next: (random): ListOp => (random.next() < 0.7 ? { type: 'append', value: ++appended } : { type: 'read' }),
  });
}

const kept = (name: string, about: string) =>
  askedWork<ListOp, ListResult>({
    ...{ name, about, type: `drill-${name}`, promise: 'C4', by: 'append list' },
    drive: listWorkload,
    final: { type: 'read' },
    judge: appendList,
  });

/** W3, by state and by events. */
export const list = kept('list', 'a list that only grows: no acknowledged value is lost, doubled or out of its place');
export const journal = kept('journal', 'the same list, kept as events with snapshots');
