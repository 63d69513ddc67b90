import { encodeId, validType } from '../cluster/subject.ts';
import { NexaError } from '../errors.ts';
import { Fields } from './fields.ts';

/** Characters of a name in a public message. */
export const LONGEST = 255;

/** A command for an agent: the agent's type checks the rest. @throws NexaError `invalid-message` */
export function agentCommand(body: unknown): unknown {
  new Fields(body, 'a command').needed('type', LONGEST);
  return body;
}

export const typeOf = (fields: Fields, name: string): string => {
  const type = fields.needed(name, LONGEST);
  try {
    return validType(type);
  } catch (cause) {
    throw new NexaError('unknown-type', `there is no agent type ${JSON.stringify(type.slice(0, 64))}`, {
      where: { type: type.slice(0, 64) },
      cause,
    });
  }
};
/** As it is; only what has no encoded form is refused. */
export const idOf = (id: string | undefined): string | undefined => {
  if (id !== undefined) encodeId(id);
  return id;
};
