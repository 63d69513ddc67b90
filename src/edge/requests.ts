import { encodeId, validNode, validType } from '../cluster/subject.ts';
import { NexaError } from '../errors.ts';
import { Fields } from './fields.ts';
import type { ListRequest, SpawnRequest } from './handlers.ts';
import { LOG_LEVELS, type LogWanted } from './log-ring.ts';

const LONGEST = 255;

/** A public `spawn`, checked. @throws NexaError `invalid-message`, `bad-id`, `unknown-type` for a type that cannot exist. */
export function spawnRequest(body: unknown): SpawnRequest {
  const fields = new Fields(body, 'spawn');
  const type = typeOf(fields, 'type');
  const id = idOf(fields.text('id', LONGEST));
  const config = fields.any('config');
  const spawnId = fields.text('spawnId', 128);
  const restart = fields.oneOf('restart', ['permanent', 'transient', 'temporary']);
  const placement = placementOf(fields.part('placement'));
  fields.end();
  return {
    type,
    ...(id === undefined ? {} : { id }),
    ...(config === undefined ? {} : { config }),
    ...(spawnId === undefined ? {} : { spawnId }),
    ...(placement === undefined ? {} : { placement }),
    ...(restart === undefined ? {} : { restart }),
  };
}

function placementOf(fields: Fields | undefined): SpawnRequest['placement'] {
  if (fields === undefined) return undefined;
  const strategy = fields.oneOf('strategy', ['least-loaded', 'rendezvous', 'local']);
  const node = fields.text('node', 64);
  const labels = fields.part('labels')?.texts(32, 128);
  fields.end();
  return {
    ...(strategy === undefined ? {} : { strategy }),
    ...(node === undefined ? {} : { node: validNode(node) }),
    ...(labels === undefined ? {} : { labels }),
  };
}

export type AgentsRequest =
  | { readonly type: 'list'; readonly filter: ListRequest }
  | { readonly type: 'types' }
  | { readonly type: 'describe'; readonly agent: string }
  | { readonly type: 'inspect' | 'why'; readonly agent: string; readonly id: string }
  | { readonly type: 'stop'; readonly agent: string; readonly id: string; readonly forget: boolean };

/** A public message on `agents`; the agent's type is the field `agent` there. @throws as {@link spawnRequest}, `unknown-command`. */
export function agentsRequest(body: unknown): AgentsRequest {
  const fields = new Fields(body, 'agents');
  const type = command(fields, ['list', 'types', 'describe', 'inspect', 'why', 'stop']);
  const request = ((): AgentsRequest => {
    switch (type) {
      case 'types':
        return { type };
      case 'describe':
        return { type, agent: typeOf(fields, 'agent') };
      case 'inspect':
      case 'why':
        return { type, agent: typeOf(fields, 'agent'), id: idOf(fields.needed('id', LONGEST)) as string };
      case 'stop':
        return { type, agent: typeOf(fields, 'agent'), id: idOf(fields.needed('id', LONGEST)) as string, forget: fields.flag('forget') };
      case 'list': {
        const agent = fields.text('agent', 64);
        const id = fields.text('id', LONGEST);
        const limit = fields.count('limit', 10_000, 1_000);
        return { type, filter: { limit, ...(agent === undefined ? {} : { type: agent }), ...(id === undefined ? {} : { id }) } };
      }
    }
  })();
  fields.end();
  return request;
}

const ABOUT_ONE = ['nodes', 'status', 'tree', 'inspect', 'stop', 'cordon', 'uncordon', 'drain'] as const;
const ABOUT_ALL = ['nodes', 'status', 'topics'] as const;
export type ControlRequest =
  | { readonly type: (typeof ABOUT_ONE | typeof ABOUT_ALL)[number] }
  | { readonly type: 'logs'; readonly wanted: LogWanted };

/** A public message on `ctl` or `ctl.<node>`. @throws NexaError `invalid-message`, `unknown-command`. */
export function controlRequest(body: unknown, named: boolean): ControlRequest {
  const fields = new Fields(body, 'ctl');
  const type = command(fields, named ? [...ABOUT_ONE, 'logs' as const] : ABOUT_ALL);
  const request = type === 'logs' ? { type, wanted: logWanted(fields) } : { type };
  fields.end();
  return request;
}

function logWanted(fields: Fields): LogWanted {
  const level = fields.oneOf('level', LOG_LEVELS) ?? 'info';
  const limit = fields.count('limit', 1_000, 200);
  return { level, limit, after: fields.count('after', Number.MAX_SAFE_INTEGER, 0) || undefined };
}

/** How many items a reader may have been sent in all, or -1: it gives up. @throws NexaError `invalid-message`, `unknown-command`. */
export function flowRequest(body: unknown): number {
  const fields = new Fields(body, 'flow');
  const type = command(fields, ['pull', 'cancel']);
  const upTo = type === 'pull' ? fields.count('upTo', Number.MAX_SAFE_INTEGER, 0) : -1;
  fields.end();
  if (upTo === 0) throw new NexaError('invalid-message', 'a pull says up to which item', { where: { field: 'upTo' } });
  return upTo;
}

/** A command for an agent: the agent's type checks the rest. @throws NexaError `invalid-message` */
export function agentCommand(body: unknown): unknown {
  new Fields(body, 'a command').needed('type', LONGEST);
  return body;
}

const command = <T extends string>(fields: Fields, known: readonly T[]): T => {
  const type = fields.needed('type', 64);
  if (known.includes(type as T)) return type as T;
  throw new NexaError('unknown-command', `${JSON.stringify(type)} is not known here`, { fix: `Use one of: ${known.join(', ')}.` });
};
const typeOf = (fields: Fields, name: string): string => {
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
const idOf = (id: string | undefined): string | undefined => {
  if (id !== undefined) encodeId(id);
  return id;
};
