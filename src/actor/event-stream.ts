import type { Logger } from '../ports/logger.ts';
import type { EventStream, RuntimeEvent } from './events.ts';

/** How deep listeners may publish events of their own. */
const DEEPEST = 8;

/** The events of one node, to whoever listens in this process. A listener that throws is logged and breaks nothing. */
export function eventStream(log: Logger): EventStream {
  const listeners = new Set<{ readonly listener: (event: RuntimeEvent) => void }>();
  let publishing = 0;
  return {
    publish(event) {
      if (listeners.size === 0) return;
      // A listener whose own mailbox is full makes a dead letter of every event: those are counted, and not announced in turn.
      if (publishing > 0 && (event.event === 'dead-letter' || publishing >= DEEPEST)) return;
      publishing++;
      for (const entry of listeners) {
        try {
          entry.listener(event);
        } catch (error) {
          log.error({ event: event.event, error }, 'a listener of runtime events threw');
        }
      }
      publishing--;
    },
    subscribe(listener) {
      const entry = { listener };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
  };
}
