import { z } from 'zod';

/**
 * Numbers of one sender that one activation took one after the other: a long and regular story in few words, and every irregular one in full. `asked`: a single
 * ask that came out of line; one that its first owner refused is sent again, after what was sent meanwhile.
 */
export const runs = z.array(z.object({ of: z.string(), epoch: z.int(), from: z.int(), to: z.int(), asked: z.literal(true).optional() }));
export type Run = z.output<typeof runs>[number];
