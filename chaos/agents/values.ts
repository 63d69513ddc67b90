import { z } from 'zod';

/** What the agents that gather answer with, and keep. */
export const values = z.object({ values: z.array(z.int()) });
