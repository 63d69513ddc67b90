import * as nexa from '../index.ts';
import { toNexaError } from '../src/errors.ts';
import { readEnvironment } from '../supervisors/config.ts';
import { runWorker } from '../supervisors/worker.ts';
import { readWorkerSpec, type WorkerSpec } from '../supervisors/worker-spec.ts';
import { EXIT } from './exit-code.ts';
import { errorLine, styleFor } from './output.ts';

// Started by a launcher and by nobody else; not a command.
let spec: WorkerSpec | undefined;
try {
  spec = readWorkerSpec(readEnvironment().worker ?? '');
} catch (thrown) {
  process.stderr.write(`${errorLine(toNexaError(thrown, 'internal').toJSON(), styleFor(false))}\n`);
  process.exitCode = EXIT.usage;
}
if (spec !== undefined) await runWorker(spec, nexa);
