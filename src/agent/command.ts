import { z } from 'zod';
import type { CommandOptions, CommandSpec, Refusals, Shape } from './protocol.ts';

type None = Record<never, never>;

/** May be asked or told, by anyone who may reach the agent. Without `reply` an ask resolves once it was handled and stored. */
export function command<I extends Shape, const O extends CommandOptions = None>(
  input: I,
  options?: O,
): CommandSpec<
  I,
  O extends { readonly reply: infer R extends z.ZodType } ? R : z.ZodVoid,
  O extends { readonly refusals: infer F extends Refusals } ? F : None,
  'ask'
>;
export function command(input: Shape, options: CommandOptions = {}): CommandSpec {
  return {
    kind: 'ask',
    input: z.strictObject(input),
    reply: options.reply ?? z.void(),
    refusals: options.refusals ?? {},
    summary: options.summary ?? '',
  };
}

/** Answered with a stream of items, pulled by whoever reads it; see `stream` of a ref. Told, it does all but that. */
export function streaming<
  I extends Shape,
  const O extends { readonly item: z.ZodType; readonly refusals?: Refusals; readonly summary?: string },
>(input: I, options: O): CommandSpec<I, O['item'], O extends { readonly refusals: infer F extends Refusals } ? F : None, 'stream'>;
export function streaming(
  input: Shape,
  options: { readonly item: z.ZodType; readonly refusals?: Refusals; readonly summary?: string },
): CommandSpec {
  return {
    kind: 'stream',
    input: z.strictObject(input),
    reply: options?.item,
    refusals: options?.refusals ?? {},
    summary: options?.summary ?? '',
  };
}

/** Only the agent itself can send it (timers, pipe). From outside: `unknown-command`, as if it did not exist. */
export function internal<I extends Shape>(input: I): CommandSpec<I, z.ZodVoid, None, 'internal'> {
  return { kind: 'internal', input: z.strictObject(input), reply: z.void(), refusals: {}, summary: '' };
}

/** As `internal`, but of this incarnation only, so it needs no schema and may hold anything a timer or pipe brings back. */
export function local<T extends object = None>(): CommandSpec<{ [K in keyof T]: z.ZodType<T[K], T[K]> }, z.ZodVoid, None, 'local'> {
  const input = z.looseObject({}) as unknown as z.ZodObject<{ [K in keyof T]: z.ZodType<T[K], T[K]> }>;
  return { kind: 'local', input, reply: z.void(), refusals: {}, summary: '' };
}
