import * as nexa from '../index.ts';
import { readEnvironment } from '../supervisors/config.ts';
import { runWorker } from '../supervisors/worker.ts';
import { readWorkerSpec } from '../supervisors/worker-spec.ts';

// Started by a launcher and by nobody else; not a command.
await runWorker(readWorkerSpec(readEnvironment().worker ?? ''), nexa);
