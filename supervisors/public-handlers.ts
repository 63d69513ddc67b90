import type { Request, StreamRequest } from '../src/actor/message.ts';
import { topicsOfAll } from '../src/cluster/topics-of-all.ts';
import type { DeadRequest } from '../src/edge/dead-requests.ts';
import type { AgentRow, PublicHandlers } from '../src/edge/handlers.ts';
import { NexaError } from '../src/errors.ts';
import { clientHandlers } from './client-handlers.ts';
import type { MemberNode } from './member.ts';
import type { NodeRefs } from './trees/node-tree.ts';

/** For requests that name no deadline; that of the edge is as long. */
const WITHIN = { timeoutMs: 5_000 } as const;

/** What a node does for outsiders: agents through the cluster, everything about the node through its own actors. */
export function publicHandlers({ member, refs }: { readonly member: MemberNode; readonly refs: NodeRefs }): PublicHandlers {
  const { system, agents, cluster } = member;
  const agent = (type: string, id: string) => ({ kind: 'agent', type, id }) as const;
  return {
    ...clientHandlers(member),
    async spawn(request, { timeoutMs }) {
      const { type, id, node, epoch, created } = await agents.spawn({ ...request, timeoutMs });
      return { agent: { type, id, node, epoch }, created };
    },
    ask: (type, id, command, { timeoutMs, requestId, traceparent }, signal) =>
      // The agent's type checks what it is.
      system.unsafeRef<Request<{ readonly type: string }, unknown>>(agent(type, id)).ask(command as { readonly type: string }, {
        timeoutMs,
        ...(signal === undefined ? {} : { signal }),
        ...(requestId === undefined ? {} : { requestId }),
        ...(traceparent === undefined ? {} : { traceparent }),
      }),
    stream: (type, id, command, { timeoutMs, window }, signal) =>
      system
        .unsafeRef<StreamRequest<{ readonly type: string }, unknown>>(agent(type, id))
        .stream(command as { readonly type: string }, { idleTimeoutMs: timeoutMs, window, signal }),
    tell: (type, id, message, { requestId, traceparent }) => void system.deliver({ to: agent(type, id), message, requestId, traceparent }),
    tellDurably: async (type, id, message, { timeoutMs, requestId, traceparent }) => ({
      // So that the answer is there before its caller goes.
      messageId: await cluster.mail.tell(type, id, message, { timeoutMs: timeoutMs * 0.9, messageId: requestId, traceparent }),
    }),
    dead: (request, { timeoutMs }) => dead(cluster.mail.dead, request, timeoutMs * 0.9),
    stop: (type, id, { forget, timeoutMs }) => agents.stop(type, id, { forget, timeoutMs }),
    list: async ({ type, id, limit }) => {
      const { agents, more } = await served(refs.registry.ask({ type: 'list', agent: type, id, limit }, WITHIN));
      return { agents: agents.map((view): AgentRow => ({ ...view })), more };
    },
    types: () => served(refs.registry.ask({ type: 'types' }, WITHIN)),
    describe: (type) => served(refs.registry.ask({ type: 'describe', agent: type }, WITHIN)),
    inspect: async (type, id) => existing(type, id, await served(refs.registry.ask({ type: 'inspect', agent: type, id }, WITHIN))),
    why: async (type, id) => existing(type, id, await served(refs.registry.ask({ type: 'why', agent: type, id }, WITHIN))),
    nodes: () => served(refs.node.ask({ type: 'nodes' }, WITHIN)),
    topics: () => topicsOfAll(system, member.cluster),
    status: () => served(refs.node.ask({ type: 'status' }, WITHIN)),
    tree: () => served(refs.node.ask({ type: 'tree' }, WITHIN)),
    cordon: async (on, { timeoutMs }) => void (await served(refs.node.ask({ type: 'cordon', on, timeoutMs }, { timeoutMs }))),
    // So that the answer is there before its caller goes.
    drain: ({ timeoutMs }) => served(refs.node.ask({ type: 'drain', timeoutMs: timeoutMs * 0.9 }, { timeoutMs })),
    inspectNode: () => served(refs.node.ask({ type: 'inspect' }, WITHIN)),
    logs: (wanted) => served(refs.node.ask({ type: 'logs', ...wanted }, WITHIN)),
    stopNode: () => void refs.node.tell({ type: 'leave' }),
  };
}

async function dead(mails: MemberNode['cluster']['mail']['dead'], request: DeadRequest, timeoutMs: number): Promise<unknown> {
  switch (request.type) {
    case 'dead-list':
      return mails.list(request.filter);
    case 'dead-show':
      return mails.show(request.number);
    case 'dead-edit':
      return { number: await mails.edit(request.number, request.message, { timeoutMs }) };
    case 'dead-replay':
      return mails.replay(request.number, { timeoutMs });
    case 'dead-discard':
      await mails.discard(request.number);
      return null;
  }
}

const existing = <T>(type: string, id: string, found: T | null): T => {
  if (found !== null) return found;
  throw new NexaError('no-such-actor', 'there is no such agent', { where: { agent: `${type}/${id}` }, fix: 'See `nexa ps`.' });
};

/** Of our own actors a stranger knows nothing: one that is not there is one that is being restarted. */
async function served<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    if (!(thrown instanceof NexaError) || thrown.code !== 'no-such-actor') throw thrown;
    throw new NexaError('unavailable', 'this node cannot say at the moment', { cause: thrown });
  }
}
