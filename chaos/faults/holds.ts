import type { Act } from '../act.ts';
import type { Held } from './scene.ts';

/** What several faults may hold at the same time: it is begun by the first of them, and ended with the last. */
export interface Holds {
  take(pairs: readonly Held[]): Promise<() => Promise<void>>;
  /** Everything was mended at once: whoever still holds something holds nothing any more. */
  forget(): void;
}

export function holdsOver(act: (act: Act) => Promise<void>): Holds {
  let held = new Map<string, number>();
  return {
    async take(pairs) {
      const mine = held;
      for (const { on, off } of pairs) {
        const name = JSON.stringify(off);
        mine.set(name, (mine.get(name) ?? 0) + 1);
        await act(on);
      }
      return async () => {
        if (mine !== held) return;
        for (const { off } of pairs) {
          const name = JSON.stringify(off);
          const left = (mine.get(name) ?? 0) - 1;
          mine.set(name, left);
          if (left > 0) continue;
          mine.delete(name);
          await act(off);
        }
      };
    },
    forget() {
      held = new Map();
    },
  };
}
