import { isCount } from './record-fields.ts';
import { type HandledRequest, remember } from './request-ring.ts';
import type { Fired, Turn } from './turn.ts';

/** What an agent remembers beside its state, in the same record, so that remembering is as durable as the effect. */
export interface Kept {
  readonly requests: readonly HandledRequest[];
  /** The highest sequence of its durable mailbox that was handled; 0: none. */
  readonly floor: number;
  /** Of the last durable messages, the oldest first. */
  readonly messageIds: readonly string[];
  /** What fired last, by the name of the reminder; the one that fired longest ago first. */
  readonly fired: ReadonlyMap<string, Fired>;
  /** The message that was the first one of so many activations, and was not handled by then. */
  readonly tried?: { readonly sequence: number; readonly times: number } | undefined;
}
export const MESSAGE_IDS = 1_000;
/** Twice what an agent may have at once: a name that was given up and declared again is another declaration. */
export const FIRED_NAMES = 128;

export const NOTHING_KEPT: Kept = { requests: [], floor: 0, messageIds: [], fired: new Map() };
/** Of an agent whose state was deleted: the messages that it had handled by then stay handled. */
export const keptByTombstone = ({ floor }: Kept): Kept => ({ ...NOTHING_KEPT, floor });

/** What is remembered after a turn. The same for a commit and for its replay. */
export function keep(kept: Kept, { request, source }: Pick<Turn, 'request' | 'source'>): Kept {
  const requests = request === undefined ? kept.requests : remember(kept.requests, request);
  if (source === undefined) return request === undefined ? kept : { ...kept, requests };
  if ('mail' in source) {
    const { sequence, messageId } = source.mail;
    const messageIds = kept.messageIds.includes(messageId)
      ? kept.messageIds
      : [...kept.messageIds.slice(Math.max(0, kept.messageIds.length + 1 - MESSAGE_IDS)), messageId];
    const { tried: _, ...rest } = kept;
    return { ...rest, requests, floor: Math.max(kept.floor, sequence), messageIds };
  }
  if ('tried' in source) {
    const { sequence } = source.tried;
    return { ...kept, requests, tried: { sequence, times: kept.tried?.sequence === sequence ? kept.tried.times + 1 : 1 } };
  }
  const { name, declared, dueAtMs } = source.fired;
  const others = [...kept.fired].filter(([each]) => each !== name);
  return { ...kept, requests, fired: new Map([...others, [name, { declared, dueAtMs }] as const].slice(-FIRED_NAMES)) };
}

/** As fields of a record, to be put behind its own. */
export const keptFields = ({ requests, floor, messageIds, fired, tried }: Kept): readonly unknown[] => [
  requests.map(([id, reply]) => [id, reply]),
  floor,
  messageIds,
  [...fired].map(([name, { declared, dueAtMs }]) => [name, declared, dueAtMs]),
  ...(tried === undefined ? [] : [[tried.sequence, tried.times]]),
];

/** Back from {@link keptFields}; undefined if they are none. */
export function keptFrom([requests, floor, messageIds, fired, tried]: readonly unknown[]): Kept | undefined {
  if (!isListOf(requests, isRequest) || !Number.isSafeInteger(floor) || (floor as number) < 0) return undefined;
  if (!isListOf(messageIds, isText) || !isListOf(fired, isFired)) return undefined;
  if (tried !== undefined && !isListOf(tried, isCount)) return undefined;
  return {
    requests,
    floor: floor as number,
    messageIds,
    fired: new Map(fired.map(([name, declared, dueAtMs]) => [name, { declared, dueAtMs }])),
    ...(tried === undefined ? {} : { tried: { sequence: tried[0] ?? 0, times: tried[1] ?? 0 } }),
  };
}

const isListOf = <T>(value: unknown, is: (each: unknown) => each is T): value is readonly T[] => Array.isArray(value) && value.every(is);
const isText = (value: unknown): value is string => typeof value === 'string';
const isRequest = (value: unknown): value is HandledRequest =>
  Array.isArray(value) && value.length === 2 && isText(value[0]) && value[1] instanceof Uint8Array;
const isFired = (value: unknown): value is readonly [string, string, number] =>
  Array.isArray(value) && value.length === 3 && isText(value[0]) && isText(value[1]) && Number.isFinite(value[2]);
