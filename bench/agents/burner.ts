import { command, defineAgent, defineProtocol } from 'nexa';
import { z } from 'zod';

export const burnerProtocol = defineProtocol({
  type: 'bench-burner',
  version: 1,
  commands: { burn: command({ ms: z.number().positive().max(1_000) }) },
});
/** Keeps its node's event loop busy for as long as it is asked to. */
export const burner = defineAgent({ ...burnerProtocol, state: z.null(), initial: null }).handle({
  burn(_context, { ms }) {
    const untilMs = performance.now() + ms;
    while (performance.now() < untilMs);
  },
});
