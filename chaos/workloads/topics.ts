import type { Client } from '../../src/client.ts';
import type { Run } from '../agents/runs.ts';
import { pubSub } from '../checkers/pub-sub.ts';
import { agentPerKey, finalsOf, operationsOf } from './asked.ts';
import { drive, type WorkloadOptions } from './drive.ts';
import { type KeyedNotes, keyedWork } from './keyed.ts';
import { Newsroom } from './newsroom.ts';
import { outcomesOf } from './outcomes.ts';
import type { WorkKind } from './work.ts';

/** W6. An agent is asked to publish the number that comes next in its activation; clients publish without being asked by anybody. */
export interface TopicOp {
  readonly type: 'announce';
}
/** What it published: as whom, and which number. */
export interface TopicResult {
  readonly publisher: string;
  readonly n: number;
}

/** One message that was published by a client, as it saw it; `sent` false: it knows that it was lost. */
export interface Published {
  readonly topic: string;
  /** One connection of a client: a client that moves on to another server is another publisher. */
  readonly publisher: string;
  /** From 1, without gaps. */
  readonly n: number;
  readonly atMs: number;
  readonly sent: boolean;
}
/** Numbers `from` … `to` of one publisher that a subscriber heard one after the other, with nothing else of that publisher between them. */
export interface HeardRun {
  readonly topic: string;
  /** A client's subscription, or `agent type/id` and the epoch of the activation that heard it. */
  readonly subscriber: string;
  /** A client's connection; of an agent its `type/id` and the epoch of its activation. */
  readonly publisher: string;
  readonly from: number;
  readonly to: number;
}
/** `finals`: all that was heard, in the order in which each subscriber heard it. */
export interface TopicFinals {
  readonly heard: readonly HeardRun[];
}
/** `notes` */
export interface TopicNotes {
  readonly published: readonly Published[];
  /** Subscriptions of clients, and until when each was there; null: to the end. */
  readonly subscribers: readonly {
    readonly topic: string;
    readonly subscriber: string;
    readonly fromMs: number;
    readonly untilMs: number | null;
  }[];
  /** From when on all was seen to work again, to the end: nothing is missing in there. Null: never. */
  readonly calmFromMs: number | null;
}

const ANNOUNCER = 'drill-announcer';
const LISTENER = 'drill-listener';
/** How long the last messages may be on their way. */
const ARRIVED_MS = 1_000;

const topicWorkload = (options: WorkloadOptions<TopicOp, TopicResult>): Promise<void> =>
  drive({ ...options, retries: 0, next: (): TopicOp => ({ type: 'announce' }) });

/** W6. */
export const topics: WorkKind = {
  name: 'topics',
  about: 'agents and clients that publish, agents and clients that subscribe: in the order of each publisher, and never twice',
  start: (scene) =>
    keyedWork<TopicOp, TopicResult>(scene, (calls) => {
      const { timeoutMs } = scene;
      const { agentOf, prepare } = agentPerKey(calls, ANNOUNCER);
      const news = new Newsroom(scene);
      const topicOf = (key: number): string => `drill.news.k${key}`;
      return {
        ...{ name: 'topics', lanes: 2, agentOf },
        async prepare(key) {
          for (const at of [key, key + 1])
            await calls.prepare(at, (client) => news.subscribe(topicOf(key), client, `client ${at} of k${key}`));
          await calls.spawn(key, { agent: LISTENER, id: `k${key}`, config: { topic: topicOf(key) } });
          await prepare(key);
        },
        async drive(options) {
          const key = options.firstKey ?? 0;
          const stop = news.publish(key, topicOf(key), options.random(key));
          await topicWorkload(options).finally(stop);
        },
        ask: (key, _, { requestId }) =>
          calls.by(
            key,
            (client) =>
              client.askRaw(
                ANNOUNCER,
                `k${key}`,
                { type: 'announce', topic: topicOf(key) },
                { timeoutMs, requestId },
              ) as Promise<TopicResult>,
          ),
        recovered: (sinceMs) => news.recovered(sinceMs),
        async end() {
          await calls.wait(ARRIVED_MS);
          news.close();
        },
        async finals(keys): Promise<TopicFinals> {
          const byAgents = await finalsOf(calls, keys, (key, client) => heardBy(client, key, timeoutMs));
          const topic = new Map(keys.map((key) => [key, topicOf(key)]));
          const agents = Object.entries(byAgents).flatMap(([key, runs]) =>
            runs.map(
              ({ of, epoch, from, to }): HeardRun => ({
                topic: topic.get(Number(key)) ?? '',
                subscriber: `${LISTENER}/k${key}@${epoch}`,
                publisher: of,
                from,
                to,
              }),
            ),
          );
          return { heard: [...news.heard, ...agents] };
        },
        notes: (): TopicNotes => ({ published: news.published, subscribers: news.subscribers, calmFromMs: news.calmFromMs }),
      };
    }),
  check: (record) => {
    const finals = record.finals as TopicFinals | null;
    if (finals === null) return [outcomesOf(record)];
    const { untilMs } = record;
    const verdict = pubSub(operationsOf(record), finals, record.notes as KeyedNotes & TopicNotes, { untilMs });
    return [{ promise: 'M2', by: 'pub/sub', verdict }, outcomesOf(record)];
  },
};

async function heardBy(client: Client, key: number, timeoutMs: number): Promise<readonly Run[]> {
  const said = await client.askRaw(LISTENER, `k${key}`, { type: 'read' }, { timeoutMs });
  return (said as { readonly heard: readonly Run[] }).heard;
}
