import type { z } from 'zod';
import type { Message } from '../actor/message.ts';

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
export interface CommandOptions {
  readonly reply?: z.ZodType;
  readonly refusals?: Refusals;
  /** One line, for help and OpenAPI. */
  readonly summary?: string;
}
type None = Record<never, never>;
type None = Record<never, never>;
/** May be asked or told, by anyone who may reach the agent. Without `reply` an ask resolves once it was handled and stored. */
export declare function command<I extends Shape, const O extends CommandOptions = None>(
  input: I,
  options?: O,
): CommandSpec<I, O extends { readonly reply: infer R extends z.ZodType } ? R : z.ZodVoid, O extends { readonly refusals: infer F extends Refusals } ? F : None, 'ask'>;
/** Only the agent itself can send it (reminders, timers, pipe). From outside: `unknown-command`, as if it did not exist. */
export declare function internal<I extends Shape>(input: I): CommandSpec<I, z.ZodVoid, None, 'internal'>;
/** As `internal`, but of this incarnation only, so it needs no schema and may hold anything: timers and pipe, never reminders. */
export declare function local<T extends object = None>(): CommandSpec<{ [K in keyof T]: z.ZodType<T[K], T[K]> }, z.ZodVoid, None, 'local'>;
/** The schema of a ref that travels in a command or is kept in state: an AgentRef outlives its node, so only that is offered. */
export declare function refTo<C extends Commands>(protocol: Protocol<C>): z.ZodType<AgentRef<C>, AgentRef<C> | string>;

/** What a caller needs to know of an agent type, and nothing of how it works: lives in protocol.ts, imports only zod. */
export interface Protocol<C extends Commands = Commands> {
  readonly type: string;
  /** Version of the stored state or events, a positive integer. Nodes with an older one never own what a newer one has written. */
  readonly version: number;
  readonly commands: C;
}
export declare function defineProtocol<C extends Commands>(protocol: Protocol<C>): Protocol<C>;

type Tagged<K, I> = { readonly type: K } & I;
// zod types an empty object as Record<string, never>, which would forbid `type` itself.
type FieldsIn<O extends z.ZodObject> = [keyof O['shape']] extends [never] ? unknown : z.input<O>;
type FieldsOut<O extends z.ZodObject> = [keyof O['shape']] extends [never] ? object : z.output<O>;
type MessageOf<K extends string, S extends CommandSpec> = Tagged<K, FieldsIn<S['input']>>;
/** What others may send: never the internal commands. Before validation, so defaults may be left out. */
export type PublicMessage<C extends Commands> = {
  [K in keyof C & string]: C[K]['kind'] extends 'internal' | 'local'
    ? never
    : C[K]['kind'] extends 'stream'
      ? StreamRequest<MessageOf<K, C[K]>, z.output<C[K]['reply']>>
      : Request<MessageOf<K, C[K]>, z.output<C[K]['reply']>>;
}[keyof C & string];
/** What the agent may send to itself. */
export type OwnMessage<C extends Commands> = { [K in keyof C & string]: MessageOf<K, C[K]> }[keyof C & string];
/** What may be stored: all but the local ones. */
export type StorableMessage<C extends Commands> = { [K in keyof C & string]: C[K]['kind'] extends 'local' ? never : MessageOf<K, C[K]> }[keyof C & string];

/** A named address: survives restarts, moves and failovers. The only ref that may be stored. */
export interface AgentRef<C extends Commands> extends ActorRef<PublicMessage<C>> {
  readonly type: string;
  readonly id: string;
  /**
   * Resolves once a quorum has stored the message; then it is handled at least once, its effect on durable state exactly once per id (M7).
   * @throws NexaError `unavailable` (definite), `ask-timeout` (indefinite: repeat it with the same id).
   */
  tellDurably(message: PublicMessage<C>, options: { readonly timeoutMs: number; readonly messageId?: string }): Promise<void>;
}
