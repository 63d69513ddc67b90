import type { Place } from '../../../act.ts';
import type { NetAct } from '../net.ts';

/** What is wrong with one direction between two places. All zero and false: nothing. */
export interface Way {
  readonly cut: boolean;
  /** Connections come about, and nothing is heard over them. */
  readonly silent: boolean;
  readonly lossPercent: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Largest piece in which bytes arrive; 0: as they come. */
  readonly sliceBytes: number;
}

const WHOLE: Way = { cut: false, silent: false, lossPercent: 0, delayMs: 0, jitterMs: 0, sliceBytes: 0 };

/** How it stands between places, as acts left it: what whoever carries bytes asks. */
export class Ways {
  readonly #ways = new Map<string, Way>();
  readonly #down = new Set<Place>();
  readonly #listeners = new Set<() => void>();

  /** As it is now; a cable that is out cuts every way of its place, and so does the loss of everything. */
  between(from: Place, to: Place): Way {
    const way = this.#ways.get(key(from, to)) ?? WHOLE;
    return this.#down.has(from) || this.#down.has(to) || way.lossPercent >= 100 ? { ...way, cut: true } : way;
  }

  /** After every act; whoever waits for something to be mended looks again. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A reset is nothing that stays; it is for whoever holds the connections. */
  act(act: NetAct): void {
    this.#apply(act);
    for (const listener of [...this.#listeners]) listener();
  }

  #apply(act: NetAct): void {
    switch (act.act) {
      case 'cut':
      case 'mend':
        return this.#change(act.from, act.to, { cut: act.act === 'cut' });
      case 'link-down':
        return void this.#down.add(act.place);
      case 'link-up':
        return void this.#down.delete(act.place);
      case 'loss':
        return this.#change(act.from, act.to, { lossPercent: act.percent });
      case 'delay':
        return this.#change(act.from, act.to, { delayMs: act.ms, jitterMs: act.ms === 0 ? 0 : act.jitterMs });
      case 'slice':
        return this.#change(act.from, act.to, { sliceBytes: act.bytes });
      case 'half-open':
        this.#change(act.from, act.to, { silent: act.on });
        return this.#change(act.to, act.from, { silent: act.on });
      case 'reset':
        return;
      case 'heal':
        this.#ways.clear();
        return this.#down.clear();
    }
  }

  #change(from: Place, to: Place, change: Partial<Way>): void {
    this.#ways.set(key(from, to), { ...(this.#ways.get(key(from, to)) ?? WHOLE), ...change });
  }
}

const key = (from: Place, to: Place): string => `${from}>${to}`;
