import type { Model } from './linearizable.ts';

/** The commands of the built-in register: one value, compare-and-set. */
export type RegisterOp =
  | { readonly type: 'read' }
  | { readonly type: 'write'; readonly value: unknown }
  | { readonly type: 'cas'; readonly from: unknown; readonly to: unknown };
/** The value after the command; or, of a `cas` that was refused, the value it met. */
export type RegisterResult = { readonly value: unknown } | { readonly mismatch: unknown };

/** JSON text with the keys of objects in one order: equal values, equal text. */
const text = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  ) ?? 'undefined';

/** A register of JSON values, compared by value; it begins with null. */
export const registerModel: Model<unknown, RegisterOp, RegisterResult> = {
  init: null,
  key: text,
  step: (state, op, result) => {
    const swaps = op.type !== 'cas' || text(state) === text(op.from);
    const next = op.type === 'read' ? state : op.type === 'write' ? op.value : swaps ? op.to : state;
    if (result === undefined) return next;
    if ('mismatch' in result) return !swaps && text(result.mismatch) === text(state) ? state : undefined;
    return swaps && text(result.value) === text(next) ? next : undefined;
  },
};

/** The commands of the built-in counter. */
export type CounterOp = { readonly type: 'add'; readonly by: number } | { readonly type: 'get' };
/** The value after the command. */
export interface CounterResult {
  readonly value: number;
}

/** A counter that begins with 0. */
export const counterModel: Model<number, CounterOp, CounterResult> = {
  init: 0,
  key: String,
  step: (state, op, result) => {
    const next = op.type === 'add' ? state + op.by : state;
    return result === undefined || result.value === next ? next : undefined;
  },
};
