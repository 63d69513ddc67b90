import { bareResponder, publicAgent } from '../../contenders/echo/public.ts';
import type { Workload } from '../../suite/workload.ts';
import { asking, askMeasures } from './asking.ts';

const loads = { '1 in flight': { atOnce: 1, asks: 12_000 }, '64 in flight': { atOnce: 64, asks: 60_000 } };

export const publicRequest: Workload = {
  name: 'public-request',
  about: 'JSON of 200 bytes from a NATS client that knows nothing of us, answered by an agent of another process with as much.',
  measures: askMeasures,
  cases: Object.keys(loads),
  servers: 1,
  contenders: { nexa: asking(publicAgent, loads), 'bare responder': asking(bareResponder, loads) },
  reach: [{ measure: 'rate', at: '64 in flight', beside: 'bare responder', ratio: 0.5 }],
  words:
    'The client is the same for both. The responder reads the JSON and answers it; an agent also has it checked by its schema, has a deadline and an owner, and handles one command after the other.',
};
