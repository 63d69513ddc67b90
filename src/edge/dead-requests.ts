import { NexaError } from '../errors.ts';
import { agentCommand, idOf, LONGEST, typeOf } from './agent-fields.ts';
import type { Fields } from './fields.ts';

/** What operators ask about stored messages that were put aside. */
export type DeadRequest =
  | {
      readonly type: 'dead-list';
      readonly filter: {
        readonly type?: string | undefined;
        readonly id?: string | undefined;
        /** Only those with a higher number. */
        readonly after?: number | undefined;
        readonly limit: number;
      };
    }
  | { readonly type: 'dead-show' | 'dead-replay' | 'dead-discard'; readonly number: number }
  | { readonly type: 'dead-edit'; readonly number: number; readonly message: unknown };

export const DEAD_REQUESTS = ['dead-list', 'dead-show', 'dead-edit', 'dead-replay', 'dead-discard'] as const;
const ROWS = { most: 1_000, usual: 100 } as const;

/** @throws NexaError `invalid-message`, `bad-id`, `unknown-type`. */
export function deadRequest(type: DeadRequest['type'], fields: Fields): DeadRequest {
  switch (type) {
    case 'dead-list': {
      const agent = fields.any('agent') === undefined ? undefined : typeOf(fields, 'agent');
      const id = idOf(fields.text('id', LONGEST));
      if (agent === undefined && id !== undefined)
        throw new NexaError('invalid-message', 'an id needs its type, in the field agent', { where: { field: 'agent' } });
      const after = fields.count('after', Number.MAX_SAFE_INTEGER, 0) || undefined;
      return { type, filter: { type: agent, id, after, limit: fields.count('limit', ROWS.most, ROWS.usual) } };
    }
    case 'dead-edit':
      return { type, number: numberOf(fields), message: agentCommand(fields.any('message')) };
    default:
      return { type, number: numberOf(fields) };
  }
}

const numberOf = (fields: Fields): number => {
  const number = fields.count('number', Number.MAX_SAFE_INTEGER, 0);
  if (number > 0) return number;
  throw new NexaError('invalid-message', 'agents needs the field number', { where: { field: 'number' } });
};
