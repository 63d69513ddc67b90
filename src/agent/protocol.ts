import type { z } from 'zod';
import type { Message, Request, StreamRequest } from '../actor/message.ts';
import type { ActorRef } from '../actor/ref.ts';
import type { TellDurablyOptions } from '../actor/tell-durably.ts';

export type Shape = z.core.$ZodLooseShape;
export type CommandKind = 'ask' | 'stream' | 'internal' | 'local';
export type Refusals = Readonly<Record<string, z.ZodType>>;
/** One public or internal command: the fields besides `type`, the reply, the refusals a caller must expect. */
export interface CommandSpec<
  I extends Shape = Shape,
  R extends z.ZodType = z.ZodType,
  F extends Refusals = Refusals,
  K extends CommandKind = CommandKind,
> {
  readonly kind: K;
  readonly input: z.ZodObject<I>;
  /** The reply, or for a stream one item. */
  readonly reply: R;
  readonly refusals: F;
  readonly summary: string;
}
export type Commands = Readonly<Record<string, CommandSpec>>;
/** Whether others may send it. */
export const isPublic = ({ kind }: CommandSpec): boolean => kind === 'ask' || kind === 'stream';
export interface CommandOptions {
  readonly reply?: z.ZodType;
  readonly refusals?: Refusals;
  /** One line, for help and OpenAPI. */
  readonly summary?: string;
}

/** What a caller needs to know of an agent type, and nothing of how it works: lives in protocol.ts, imports only zod. */
export interface Protocol<C extends Commands = Commands> {
  readonly type: string;
  /** Version of the stored state, a positive integer. Nodes with an older one never own what a newer one has written. */
  readonly version: number;
  readonly commands: C;
}

export type Tagged<K, I> = { readonly type: K } & I;
// zod types an empty object as Record<string, never>, which would forbid `type` itself.
type FieldsIn<O extends z.ZodObject> = [keyof O['shape']] extends [never] ? unknown : z.input<O>;
export type FieldsOut<O extends z.ZodObject> = [keyof O['shape']] extends [never] ? object : z.output<O>;
type MessageOf<K extends string, S extends CommandSpec> = Tagged<K, FieldsIn<S['input']>>;
/** What others may send: never the internal commands. Before validation, so defaults may be left out. */
export type PublicMessage<C extends Commands> = {
  [K in keyof C & string]: C[K]['kind'] extends 'internal' | 'local'
    ? never
    : C[K]['kind'] extends 'stream'
      ? StreamRequest<MessageOf<K, C[K]> & Message, z.output<C[K]['reply']>>
      : Request<MessageOf<K, C[K]> & Message, z.output<C[K]['reply']>>;
}[keyof C & string];
/** What the agent may send to itself. */
export type OwnMessage<C extends Commands> = { [K in keyof C & string]: MessageOf<K, C[K]> }[keyof C & string];

/** What may be stored: all but the local ones. */
export type StorableMessage<C extends Commands> = {
  [K in keyof C & string]: C[K]['kind'] extends 'local' ? never : MessageOf<K, C[K]>;
}[keyof C & string];

/** A named address: survives restarts, moves and failovers. The only ref that may be stored. */
export interface AgentRef<C extends Commands> extends ActorRef<PublicMessage<C>> {
  readonly type: string;
  readonly id: string;
  /**
   * Resolves once a quorum has stored the message; then it is handled at least once, in the order stored, its effect on durable state
   * exactly once per id (M7). A reply that its command has goes nowhere. A repeat with the same id is the same message while the id is
   * among the agent's last 1,000.
   * @throws NexaError `invalid-message`, `unknown-command`, `unknown-type`, `no-such-actor`, `payload-too-large`, `mailbox-full`,
   *   `quota-exceeded`, `overloaded`, `ask-timeout`: it is not stored. `unavailable`: as its `definite` says; if that is false it may be
   *   stored, and `where.messageId` is the id to repeat it with.
   */
  tellDurably(message: PublicMessage<C>, options: TellDurablyOptions): Promise<void>;
}
