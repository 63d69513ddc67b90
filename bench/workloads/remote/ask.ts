import { batchedBound } from '../../contenders/echo/batched.ts';
import { boundEcho } from '../../contenders/echo/bound.ts';
import { moleculerEcho } from '../../contenders/echo/moleculer.ts';
import { natsRequest } from '../../contenders/echo/nats.ts';
import { nexaEcho } from '../../contenders/echo/nexa.ts';
import type { Workload } from '../../suite/workload.ts';
import { asking, askMeasures } from './asking.ts';

const loads = {
  '1 in flight': { atOnce: 1, asks: 15_000 },
  '64 in flight': { atOnce: 64, asks: 120_000 },
  '1,000 in flight': { atOnce: 1_000, asks: 120_000 },
};

export const ask: Workload = {
  name: 'remote-ask',
  about: 'Requests of 200 bytes from one process to another over one nats-server; what comes back is the request.',
  measures: askMeasures,
  cases: Object.keys(loads),
  servers: 1,
  contenders: {
    nexa: asking(nexaEcho, loads),
    'nats request': asking(natsRequest, loads),
    moleculer: asking(moleculerEcho, loads, 0.25),
    bound: asking(boundEcho, loads),
    'bound in batches': asking(batchedBound, loads),
  },
  reach: [
    { measure: 'rate', at: '64 in flight', beside: 'nats request', ratio: 2.5 },
    { measure: 'rate', at: '64 in flight', beside: 'bound', ratio: 0.6 },
    { measure: 'rate', at: '64 in flight', beside: 'moleculer', ratio: 3 },
    { measure: 'p50', at: '1 in flight', beside: 'bound', ratio: 0.77 },
  ],
  words:
    'Ours and Moleculer encode an object and decode it on each side; nats request and the bounds pass on bytes. Both bounds are written by hand over the same library, without deadlines: the first publishes each message by itself, the second all of one turn of the loop as one, as ours does. Echoes at full load show what a round trip costs, not how a system answers that also works; with 1 in flight it is mostly the way through the kernel and the server.',
};
