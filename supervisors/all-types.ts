import { builtins } from '../actors/index.ts';
import type { AnyAgent } from '../src/agent/define.ts';
import { NexaError } from '../src/errors.ts';

/** What a node runs: its own types and the built-in ones. @throws NexaError `invalid-definition` for one type twice. */
export function allTypes(own: readonly AnyAgent[]): readonly AnyAgent[] {
  const types = new Map(builtins.map((definition) => [definition.type, definition]));
  const seen = new Set<string>();
  for (const definition of own) {
    if (seen.has(definition.type)) {
      throw new NexaError('invalid-definition', `two definitions of the agent type ${definition.type}`, {
        where: { type: definition.type },
        fix: 'Give one of them another type.',
      });
    }
    seen.add(definition.type);
    // A user's own type goes before a built-in one of the same name.
    types.set(definition.type, definition);
  }
  return [...types.values()];
}
