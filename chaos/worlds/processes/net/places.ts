import { NexaError } from '../../../../src/errors.ts';
import type { Place } from '../../../act.ts';
import type { NetAct } from '../net.ts';

const MOST = 30;
const MOST_OF: Readonly<Record<string, number>> = { percent: 100, ms: 3_600_000, jitterMs: 3_600_000, bytes: 1_048_576 };
const NAME = /^[a-z][a-z0-9-]{0,30}$/;

/** The places of a net, numbered from 1 in the order they were made. */
export class Places {
  readonly #numbers = new Map<Place, number>();

  get all(): readonly Place[] {
    return [...this.#numbers.keys()];
  }

  has(place: Place): boolean {
    return this.#numbers.has(place);
  }

  /** @throws NexaError `invalid-message` for a name that is none, `overloaded` beyond 30. */
  add(place: Place): number {
    if (!NAME.test(place)) throw new NexaError('invalid-message', 'that is no name of a place', { where: { place: place.slice(0, 40) } });
    if (this.#numbers.size === MOST) throw new NexaError('overloaded', `a net has ${MOST} places at most`, { where: { place } });
    this.#numbers.set(place, this.#numbers.size + 1);
    return this.#numbers.size;
  }

  /** @throws NexaError `invalid-message` for a place that was not made. */
  number(place: Place): number {
    const number = this.#numbers.get(place);
    if (number === undefined) throw new NexaError('invalid-message', 'no such place', { where: { place: place.slice(0, 40) } });
    return number;
  }

  /** @throws NexaError `invalid-message` for an act that names a place which was not made, or is out of range. */
  check(act: NetAct): void {
    if ('place' in act) this.number(act.place);
    if ('from' in act) {
      this.number(act.from);
      this.number(act.to);
    }
    for (const [name, value] of Object.entries(act)) {
      const most = MOST_OF[name];
      if (most !== undefined && !(typeof value === 'number' && value >= 0 && value <= most))
        throw new NexaError('invalid-message', `${name} is from 0 to ${most}`, { where: { act: act.act } });
    }
  }
}
