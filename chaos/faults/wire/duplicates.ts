import { anySubject } from '../../../src/cluster/subject.ts';
import { flushed, pause, type WireScene } from './scene.ts';
import { familyOf, spy } from './spy.ts';

/** What nodes say to each other; what programs outside say would be another request when it is said again. */
const BETWEEN_NODES = new Set(['node', 'reply', 'beat', 'event']);
const EVERY_MS = 200;
/** Of the latest frames, so many are said again each time. */
const AT_ONCE = 50;

/**
 * F21: frames between nodes are heard and said again, later and in another order, for `forMs`. Each is said at most twice more. How many
 * were said again.
 */
export async function duplicates(scene: WireScene, forMs: number, signal?: AbortSignal): Promise<number> {
  const { link, random, clock } = scene;
  const ear = spy(scene, (subject) => BETWEEN_NODES.has(familyOf(scene, subject)));
  const untilMs = clock.monotonicMs() + forMs;
  let said = 0;
  try {
    while (clock.monotonicMs() < untilMs && signal?.aborted !== true) {
      await pause(clock, EVERY_MS);
      const heard = ear.take().slice(-AT_ONCE);
      for (const { subject, payload, headers, reply } of shuffled([...heard, ...heard.slice(0, AT_ONCE / 2)], () => random.next())) {
        link.transport.publish(anySubject(subject), Uint8Array.from(payload), { headers, ...(reply === undefined ? {} : { reply }) });
        said++;
      }
      await flushed(scene);
      // Its own echo is no news.
      ear.take();
    }
  } finally {
    ear.end();
  }
  return said;
}

function shuffled<T>(items: T[], next: () => number): readonly T[] {
  for (let index = items.length - 1; index > 0; index--) {
    const other = Math.floor(next() * (index + 1));
    [items[index], items[other]] = [items[other] as T, items[index] as T];
  }
  return items;
}
