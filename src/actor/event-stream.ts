import type { Logger } from '../ports/logger.ts';
import type { EventStream, RuntimeEvent } from './events.ts';

/** The events of one node, to whoever listens in this process. A listener that throws is logged and breaks nothing. */
export function eventStream(log: Logger): EventStream {
  const listeners = new Set<{ readonly listener: (event: RuntimeEvent) => void }>();
  return {
    publish(event) {
      if (listeners.size === 0) return;
      for (const entry of listeners) {
        try {
          entry.listener(event);
        } catch (error) {
          log.error({ event: event.event, error }, 'a listener of runtime events threw');
        }
      }
    },
    subscribe(listener) {
      const entry = { listener };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
  };
}
