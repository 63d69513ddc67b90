import { NexaError } from '../../src/errors.ts';

/** A century: nothing that a test waits for takes longer. */
const LONGEST_MS = 3_155_760_000_000;

const misfit = (field: string, message: string): NexaError =>
  new NexaError('invalid-message', message, { where: { field }, definite: true, fix: `Correct ${field}.` });

/** @throws NexaError `invalid-message` */
export function milliseconds(field: string, given: number, from = 0): number {
  if (typeof given === 'number' && given >= from && given <= LONGEST_MS) return given;
  throw misfit(field, `${field} is ${from} … ${LONGEST_MS} ms, and not ${String(given)}`);
}
/** @throws NexaError `invalid-message` */
export function whole(field: string, given: number, from: number, to: number): number {
  if (Number.isInteger(given) && given >= from && given <= to) return given;
  throw misfit(field, `${field} is a whole number ${from} … ${to}, and not ${String(given)}`);
}
/** Names of nodes that are there, each once. @throws NexaError `invalid-message` */
export function known(field: string, given: readonly (string | null)[], names: readonly string[]): asserts given is readonly string[] {
  for (const name of given) {
    if (name === null || !names.includes(name)) throw misfit(field, `there is no node ${name}; there are ${names.join(', ')}`);
    if (given.indexOf(name) !== given.lastIndexOf(name)) throw misfit(field, `${name} is named twice`);
  }
}
/** As {@link known}, of one. @throws NexaError `invalid-message` */
export function knownNode(name: string | null, names: readonly string[]): string {
  const given = [name];
  known('node', given, names);
  return given[0] as string;
}
