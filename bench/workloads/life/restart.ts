import type { Actors, Ref, Restarted } from '../../contenders/actors.ts';
import { erlang } from '../../contenders/erlang.ts';
import { plainNact } from '../../contenders/nact.ts';
import { nexa } from '../../contenders/nexa.ts';
import type { Workload } from '../../suite/workload.ts';
import { perSecond, type Work } from '../measured.ts';

const known = new Error('crash');
/** What is thrown. */
const ERRORS: Readonly<Record<string, () => Error>> = { 'a new error': () => new Error('crash'), 'the same error': () => known };

/** Each restart is counted by the message after it, if that is the first that the actor knows of. */
const work: Work<Actors & Restarted> = async (actors, hits, at) => {
  let left = 0;
  const again = (): void => {
    crashing.tell({ type: 'crash' });
    crashing.tell({ type: 'check' });
  };
  const check = (handled: number): void => {
    if (handled === 0) hits.hit();
    if (--left > 0) again();
  };
  const crashing: Ref = await actors.spawnCrashing(check, ERRORS[at] ?? (() => known));
  return (size) => {
    const done = hits.expect(size);
    left = size;
    again();
    return done;
  };
};

export const restart: Workload = {
  name: 'restart',
  about: 'An actor that crashes in its handler is restarted by its supervisor, handles one message with fresh state, and crashes again.',
  measures: { rate: { unit: 'restarts/s', better: 'more' } },
  cases: Object.keys(ERRORS),
  contenders: {
    nexa: perSecond(nexa, work, 600_000),
    nact: perSecond(plainNact, work, 300_000),
    erlang: erlang('restart', 800_000),
  },
  reach: [{ measure: 'rate', beside: 'nact', ratio: 4 }],
  words:
    'A new error costs mostly its stack, which is V8’s work and the dearer the more calls are under way; where the same error is thrown again and again, it is the runtimes that are compared. Restarts at once and without end, which nobody wants of a system that runs: by default ours wait longer and longer and give up. In nact an actor decides its own restart. In Erlang the supervisor is a process that traps exits, written by hand: OTP’s own keeps a list of all restarts within its period, walks it at each, and is far slower here; and what waited in a mailbox is lost, so that it sends the next message when it has restarted.',
};
