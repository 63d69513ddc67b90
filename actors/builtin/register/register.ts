import type { z } from 'zod';
import { defineAgent } from '../../../src/agent/define.ts';
import { held, registerProtocol } from './protocol.ts';

type Json = z.output<typeof held>['value'];

/** Equal as JSON: the order of keys means nothing. */
function sameJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const left = new Map(Object.entries(a));
  const right = Object.entries(b);
  return left.size === right.length && right.every(([key, value]) => left.has(key) && sameJson(left.get(key) as Json, value));
}

/** See {@link registerProtocol}. */
export const register = defineAgent({
  ...registerProtocol,
  summary: 'Holds one JSON value, with compare-and-set.',
  state: held,
  initial: { value: null },
}).handle({
  read: ({ state }) => ({ reply: state }),
  write: (_context, { value }) => ({ state: { value }, reply: { value } }),
  cas({ state }, { from, to }) {
    if (!sameJson(state.value, from)) return { refused: 'mismatch', details: state };
    return { state: { value: to }, reply: { value: to } };
  },
});
