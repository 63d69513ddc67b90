import type { Client } from '../../src/client.ts';
import type { Run } from '../agents/runs.ts';
import { answersTrue, gapsCounted, inOrder } from '../checkers/order.ts';
import { type Verdict, worstOf } from '../checkers/verdict.ts';
import { agentPerKey, finalsOf, operationsOf } from './asked.ts';
import { drive, type WorkloadOptions } from './drive.ts';
import { keyedWork } from './keyed.ts';
import { outcomesOf } from './outcomes.ts';
import type { WorkKind } from './work.ts';

/** W8. A caller is asked to tell its callee so many numbered messages and then to ask it the next number. */
export interface EchoOp {
  readonly type: 'call';
  readonly tells: number;
}
/** What the caller did and saw; numbers count in its activation, from 1. */
export interface EchoResult {
  /** type/id and epoch of its activation. */
  readonly caller: string;
  /** Told were `from` … `to`; asked was `to` + 1. */
  readonly from: number;
  readonly to: number;
  /** How often `tell` answered that it is too much. */
  readonly pushedBack: number;
  /** Of the ask: undefined code is an answer; by the caller's own monotonic clock. */
  readonly asked: { readonly code: string | null; readonly definite: boolean; readonly tookMs: number; readonly timeoutMs: number };
}

/** Numbers `from` … `to` of one activation of a caller that one activation of the callee handled one after the other. */
export interface HandledRun {
  readonly callee: string;
  /** Of the callee's activation. */
  readonly epoch: number;
  /** type/id and epoch of its activation. */
  readonly caller: string;
  readonly from: number;
  readonly to: number;
  /** A single ask that came out of line: one that was refused as `not-owner` counts as sent when it is sent again (M2). */
  readonly asked?: true | undefined;
}
/** `finals`: what callees handled, of each in its order; and what every node counted since it started. */
export interface EchoFinals {
  /** Keys whose callee was not read: what it handled is not among the rest. */
  readonly unread: readonly number[];
  readonly handled: readonly HandledRun[];
  readonly nodes: Readonly<Record<string, { readonly incarnation: number; readonly gaps: number; readonly deadLetters: number }>>;
}
/** `notes`: type/id of the agent that each key's caller calls. */
export interface EchoNotes {
  readonly callees: Readonly<Record<number, string>>;
}

const CALLER = 'drill-caller';
const CALLEE = 'drill-callee';
const MOST_TELLS = 6;
/** The ask between the two ends long before the one that the client made. */
const SHARE = 0.4;
/** Tries to have the two on different nodes. */
const PAIRINGS = 4;

function echoWorkload(options: WorkloadOptions<EchoOp, EchoResult>): Promise<void> {
  return drive({
    ...options,
    retries: 0,
    next: (random): EchoOp => ({ type: 'call', tells: Math.floor(random.next() * (MOST_TELLS + 1)) }),
  });
}

/** W8. */
export const echo: WorkKind = {
  name: 'echo',
  about: 'numbered tells and asks between agents on different nodes: in order, never twice, one outcome each',
  start: (scene) =>
    keyedWork<EchoOp, EchoResult>(scene, (calls) => {
      const { timeoutMs } = scene;
      const { agentOf, prepare } = agentPerKey(calls, CALLER);
      const callees: Record<number, string> = {};
      return {
        ...{ name: 'echo', drive: echoWorkload, agentOf },
        async prepare(key) {
          const { node } = (await prepare(key)) as { readonly node: string | null };
          for (let pairing = 0; pairing < PAIRINGS; pairing++) {
            callees[key] = `k${key}-${pairing}`;
            if ((await calls.spawn(key, { agent: CALLEE, id: `k${key}-${pairing}` })).node !== node) break;
          }
        },
        ask: (key, op, { requestId }) => {
          const call = { ...op, callee: callees[key], timeoutMs: Math.ceil(timeoutMs * SHARE) };
          return calls.by(key, (client) => client.askRaw(CALLER, `k${key}`, call, { timeoutMs, requestId }) as Promise<EchoResult>);
        },
        async finals(keys): Promise<EchoFinals> {
          const handled = await finalsOf(calls, keys, async (key, client) => {
            const said = await client.askRaw(CALLEE, callees[key] ?? '', { type: 'read' }, { timeoutMs });
            return (said as { readonly handled: readonly Run[] }).handled.map(
              ({ of, ...run }): HandledRun => ({ callee: `${CALLEE}/${callees[key]}`, caller: of, ...run }),
            );
          });
          return {
            unread: keys.filter((key) => handled[key] === undefined),
            handled: Object.values(handled).flat(),
            nodes: await countedBy(scene.client(keys[0] ?? 0)),
          };
        },
        notes: (): EchoNotes => ({ callees: Object.fromEntries(Object.entries(callees).map(([key, id]) => [key, `${CALLEE}/${id}`])) }),
      };
    }),
  check: (record) => {
    const finals = record.finals as EchoFinals | null;
    if (finals === null) return [outcomesOf(record)];
    const unread = new Set(finals.unread);
    const operations = operationsOf<EchoOp, EchoResult>(record).filter(({ key }) => !unread.has(key));
    const whole = (verdict: Verdict): Verdict =>
      unread.size === 0
        ? verdict
        : worstOf([verdict, { verdict: 'unknown', reason: `what was handled was not read of keys ${[...unread].join(', ')}` }]);
    return [
      { promise: 'M2', by: 'order', verdict: whole(inOrder(finals.handled)) },
      { promise: 'M3', by: 'answers are true', verdict: whole(answersTrue(operations, finals.handled)) },
      { promise: 'M4', by: 'gaps are counted', verdict: whole(gapsCounted(operations, finals)) },
      outcomesOf(record),
    ];
  },
};

interface Inspected {
  readonly status?: { readonly incarnation?: unknown; readonly deadLetters?: unknown } | null;
  readonly sample?: { readonly peers?: readonly { readonly gaps?: unknown }[] } | null;
}

/** What nodes say that they counted; who does not say it is left out. */
async function countedBy(client: Client): Promise<EchoFinals['nodes']> {
  const counted: Record<string, EchoFinals['nodes'][string]> = {};
  const rows = (await client.cluster.nodes().catch(() => [])) as readonly { readonly node?: unknown; readonly state?: unknown }[];
  for (const { node, state } of rows) {
    if (typeof node !== 'string' || state !== 'running') continue;
    const { status, sample } = (await client.cluster.inspectNode(node).catch(() => ({}))) as Inspected;
    if (typeof status?.incarnation !== 'number' || !Array.isArray(sample?.peers)) continue;
    const gaps = sample.peers.reduce((total: number, peer) => total + (Number(peer.gaps) || 0), 0);
    counted[node] = { incarnation: status.incarnation, gaps, deadLetters: Number(status.deadLetters) || 0 };
  }
  return counted;
}
