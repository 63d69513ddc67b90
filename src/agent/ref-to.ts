import { z } from 'zod';
import type { Address } from '../actor/address.ts';
import { NexaError } from '../errors.ts';
import type { AgentRef, Commands, Protocol } from './protocol.ts';

/**
 * Makes the live ref of an agent's address or its text `nexa:<type>/<id>`, bound to whoever receives it.
 * @throws NexaError `bad-id`, `invalid-message` for a text that is no address.
 */
export type Binder = (address: Address | string) => AgentRef<Commands>;

// Parsing is synchronous, so one variable is the whole context; nothing of it survives the call.
let binder: Binder | undefined;

/** Runs a parse in which {@link refTo} makes its refs through `bind`. Only synchronous work: the binder ends with the call. */
export function withBinder<T>(bind: Binder, parse: () => T): T {
  const outer = binder;
  binder = bind;
  try {
    return parse();
  } finally {
    binder = outer;
  }
}

const longestText = 1_024;

function isAgentRef(value: unknown): value is AgentRef<Commands> {
  if (typeof value !== 'object' || value === null) return false;
  const { tell, address } = value as Partial<AgentRef<Commands>>;
  return typeof tell === 'function' && address?.kind === 'agent';
}

/** A ref of this type, or what is wrong with `value`. */
function refOf(type: string, value: unknown): AgentRef<Commands> | string {
  const expected = `expected a ref of type ${type}`;
  if (isAgentRef(value)) {
    if (value.type !== type) return `${expected}, got one of type ${value.type}`;
    return binder === undefined ? value : binder(value.address);
  }
  if (typeof value !== 'string' || value.length > longestText) return `${expected}, or its text nexa:${type}/<id>`;
  if (!value.startsWith(`nexa:${type}/`)) return `${expected}, got ${JSON.stringify(value.slice(0, 64))}`;
  if (binder === undefined) return `${expected}: its text becomes one only on a node or client`;
  try {
    return binder(value);
  } catch (error) {
    if (error instanceof NexaError) return error.message;
    throw error;
  }
}

interface RefDef extends z.core.$ZodTypeDef {
  readonly agentType: string;
}
interface RefInternals extends z.core.$ZodTypeInternals<AgentRef<Commands>, AgentRef<Commands> | string> {
  def: RefDef;
}
interface RefSchema extends z.ZodType<AgentRef<Commands>, AgentRef<Commands> | string, RefInternals> {
  _zod: RefInternals;
}
// A schema class of its own, because a transform has no JSON form and a ref has one: its text.
const RefSchema: z.core.$constructor<RefSchema, RefDef> = z.core.$constructor('NexaRef', (schema, def) => {
  z.ZodType.init(schema, def);
  schema._zod.parse = (payload) => {
    const made = refOf(def.agentType, payload.value);
    if (typeof made === 'string') payload.issues.push({ code: 'custom', message: made, input: payload.value, inst: schema });
    else payload.value = made;
    return payload;
  };
  schema._zod.processJSONSchema = (_context, json) => {
    Object.assign(json, {
      type: 'string',
      pattern: `^nexa:${def.agentType}/.+$`,
      description: `the address of an agent of type ${def.agentType}`,
    });
  };
});

/**
 * The schema of a ref that travels in a command or is kept in state: an AgentRef outlives its node, so only that is offered.
 * It takes a live ref or its text, and yields a live ref.
 */
export function refTo<C extends Commands>(protocol: Protocol<C>): z.ZodType<AgentRef<C>, AgentRef<C> | string> {
  return new RefSchema({ type: 'custom', agentType: protocol.type }) as unknown as z.ZodType<AgentRef<C>, AgentRef<C> | string>;
}
