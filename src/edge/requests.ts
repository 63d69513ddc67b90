import { validNode } from '../cluster/subject.ts';
import { NexaError } from '../errors.ts';
import { idOf, LONGEST, typeOf } from './agent-fields.ts';
import { DEAD_REQUESTS, type DeadRequest, deadRequest } from './dead-requests.ts';
import { Fields } from './fields.ts';
import type { ListRequest, SpawnRequest } from './handlers.ts';
import { LOG_LEVELS, type LogWanted } from './log-ring.ts';

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
  | { readonly type: 'dead'; readonly wanted: DeadRequest }
  | { readonly type: 'describe'; readonly agent: string }
  | { readonly type: 'inspect' | 'why'; readonly agent: string; readonly id: string }
  | { readonly type: 'stop'; readonly agent: string; readonly id: string; readonly forget: boolean };

/** A public message on `agents`; the agent's type is the field `agent` there. @throws as {@link spawnRequest}, `unknown-command`. */
export function agentsRequest(body: unknown): AgentsRequest {
  const fields = new Fields(body, 'agents');
  const type = command(fields, ['list', 'types', 'describe', 'inspect', 'why', 'stop', ...DEAD_REQUESTS]);
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
      default:
        return { type: 'dead', wanted: deadRequest(type, fields) };
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

const command = <T extends string>(fields: Fields, known: readonly T[]): T => {
  const type = fields.needed('type', 64);
  if (known.includes(type as T)) return type as T;
  throw new NexaError('unknown-command', `${JSON.stringify(type)} is not known here`, { fix: `Use one of: ${known.join(', ')}.` });
};
