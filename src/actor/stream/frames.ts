import { NexaError } from '../../errors.ts';

/** From the producer: items in a row, the number of the first, counted from 0, and perhaps how the stream ended after them. */
export interface Items {
  readonly seq: number;
  readonly items: readonly unknown[];
  readonly end?: true;
  readonly error?: NexaError;
}
/** From the consumer: how many items may have been sent in all; nothing more of them is wanted when it is -1. */
export interface Pull {
  readonly pull: number;
}
export const LEFT = -1;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** What arrived for a consumer, if it is a part of a stream. */
export function itemsOf(message: unknown): Items | undefined {
  if (!isRecord(message) || !Number.isSafeInteger(message.seq) || (message.seq as number) < 0 || !Array.isArray(message.items))
    return undefined;
  if (message.error !== undefined && !(message.error instanceof NexaError)) return undefined;
  return message as unknown as Items;
}
/** What arrived for a producer; anything but a pull says that nobody consumes its items. */
export function pullOf(message: unknown): number {
  return isRecord(message) && Number.isSafeInteger(message.pull) ? (message.pull as number) : LEFT;
}
