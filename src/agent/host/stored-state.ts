import type { StateRecord } from '../../durable/fenced-state.ts';
import { NexaError } from '../../errors.ts';
import { type AnyAgent, implementationOf } from '../define.ts';
import { validateState } from '../schema.ts';

/**
 * Today's state from what is stored, or the first one: lifted version by version, and checked against the schema before anything
 * is written, so that a state that cannot be lifted stays as it is.
 * @throws NexaError `unknown-version` (a newer version wrote it), `corrupt-record` (it cannot be lifted, or does not fit).
 */
export function lifted(
  definition: AnyAgent,
  id: string,
  stored: Pick<StateRecord, 'state' | 'version'> | undefined,
  initial: () => unknown,
): unknown {
  if (stored?.state === undefined) return initial();
  const where = { type: definition.type, id, version: String(stored.version) };
  if (stored.version > definition.version) {
    throw new NexaError('unknown-version', `its state was written by version ${stored.version}, this node has ${definition.version}`, {
      where,
      fix: 'Update the agent type on this node.',
    });
  }
  const corrupt = (problem: string, field: string, fix: string, cause?: unknown): NexaError =>
    new NexaError('corrupt-record', problem, { where: { ...where, field }, fix, ...(cause === undefined ? {} : { cause }) });
  const { upcast, eventSourcing } = implementationOf(definition);
  const steps = eventSourcing === undefined ? 'upcast' : 'upcastState';
  let state: unknown = stored.state;
  for (let version = stored.version; version < definition.version; version++) {
    const field = `${steps}.${version}`;
    const step = upcast.get(version);
    if (step === undefined)
      throw corrupt(`nothing lifts its state from version ${version}`, field, `Add ${steps}: { ${version}: (state) => … }.`);
    try {
      state = step(state);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw corrupt(
        `lifting its state from version ${version} threw: ${message}`.slice(0, 400),
        field,
        `Correct ${steps} ${version}.`,
        cause,
      );
    }
  }
  const fits = validateState(definition, state);
  if (fits.ok) return state;
  const from = stored.version < definition.version ? `what ${steps} made of version ${stored.version}` : 'what is stored';
  throw corrupt(
    `${from} is no state: ${fits.error.message}`.slice(0, 400),
    'state',
    'Correct the upcast or the schema, then spawn it again.',
  );
}
