import type { Folding } from '../../durable/folding.ts';
import { NexaError } from '../../errors.ts';
import { type AnyAgent, implementationOf } from '../define.ts';
import { applyEvents, liftEvents } from '../events.ts';
import { validateConfig, validateState } from '../schema.ts';
import { lifted } from './stored-state.ts';

/** How the records of an event-sourced agent become its state. `config` is what it was spawned with, as it was given. */
export function foldingOf(definition: AnyAgent, id: string, config: unknown): Folding {
  const { initial, upcast } = implementationOf(definition);
  const corrupt = (problem: string, field: string, cause?: unknown): NexaError =>
    new NexaError('corrupt-record', problem.slice(0, 400), { where: { type: definition.type, id, field }, cause });
  return {
    version: definition.version,
    config,
    initial(given) {
      const checked = validateConfig(definition, given);
      if (checked.ok) return initial({ id, config: checked.value });
      throw corrupt(`what it was first spawned with does not fit any more: ${checked.error.message}`, 'config', checked.error);
    },
    fold(state, events, version) {
      const folded = applyEvents(definition, state, liftEvents(definition, id, events, version));
      if (folded.ok) return folded.value;
      throw corrupt(`its events do not apply: ${folded.error.message}`, folded.error.where.field ?? 'state', folded.error);
    },
    lifts(version) {
      for (let from = version; from < definition.version; from++) if (!upcast.has(from)) return false;
      return true;
    },
    lift(state, version) {
      const read = validateState(
        definition,
        lifted(definition, id, { state, version }, () => undefined),
      );
      if (read.ok) return read.value;
      throw corrupt(read.error.message, 'state', read.error);
    },
  };
}
