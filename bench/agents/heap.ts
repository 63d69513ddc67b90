// What the live objects of a node take, seen from inside: an agent on it.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { command, defineAgent } from 'nexa';
import { z } from 'zod';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

export const heap = defineAgent({
  type: 'bench-heap',
  version: 1,
  commands: { used: command({}, { reply: z.object({ bytes: z.number() }) }) },
  storage: 'memory',
  state: z.null(),
  initial: null,
}).handle({
  used() {
    gc();
    gc();
    const { heapUsed, external } = process.memoryUsage();
    return { reply: { bytes: heapUsed + external } };
  },
});
