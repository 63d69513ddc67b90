import type { Subjects } from '../../../src/cluster/subject.ts';
import type { SeededRandom } from '../../../src/memory/random.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Place } from '../../act.ts';
import type { Link } from '../../world.ts';

/** What a stranger with a connection needs to make trouble; the same in both worlds. */
export interface WireScene {
  /** Of its own: trouble may cost it. */
  readonly link: Pick<Link, 'transport'>;
  readonly subjects: Subjects;
  /** Of the nodes that are there. */
  readonly nodes: readonly Place[];
  readonly random: SeededRandom;
  readonly clock: Clock;
}

const FLUSH_MS = 5_000;

export const pause = (clock: Clock, ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));

/** Resolves when the server has taken what was published; a connection that is down has lost it, as any stranger's would. */
export const flushed = ({ link }: WireScene): Promise<void> => link.transport.flush({ timeoutMs: FLUSH_MS }).catch(() => undefined);
