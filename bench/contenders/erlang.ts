import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { home } from '../suite/home.ts';
import type { Contender } from '../suite/workload.ts';

const SCRIPT = join(home, 'bench/contenders/erlang/bench.escript');
const run = promisify(execFile);

/** A workload in Erlang/OTP, one scheduler. It warms up, times itself and counts as ours do: starting and compiling is not in it. */
export function erlang(workload: string, size: number, inFlight: (at: string) => number = () => 1): Contender {
  return {
    lacking() {
      try {
        execFileSync('escript', [SCRIPT, workload, '1', '1'], { stdio: 'pipe' });
        return undefined;
      } catch (error) {
        return `escript, which comes with Erlang/OTP, does not run: ${(error as Error).message}`;
      }
    },
    async run({ at, count }) {
      const { stdout } = await run('escript', [SCRIPT, workload, String(count(size)), String(inFlight(at))]);
      const [measure = '', value, expected, seen] = stdout.trim().split(' ');
      return { values: { [measure]: Number(value) }, expected: Number(expected), seen: Number(seen) };
    },
  };
}
