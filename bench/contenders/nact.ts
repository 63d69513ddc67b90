import nact from 'nact';
import type { Actors, Asked, Families, Message, Ref, Restarted, Stopped } from './actors.ts';

const REPLY = Symbol('reply');

export function plainNact(): Actors & Asked & Stopped & Restarted & Families {
  const system = nact.start();
  const refs = new WeakMap<Ref, unknown>();
  return {
    spawn(handler, name) {
      const ref = nact.spawn(
        system,
        ((state: unknown, message: Message & { readonly [REPLY]?: unknown }) => {
          const answer = handler(self, message);
          const back = message[REPLY];
          if (answer !== undefined && back !== undefined) nact.dispatch(back as never, answer as never);
          return state;
        }) as never,
        name,
      );
      const self: Ref = { tell: (message) => nact.dispatch(ref as never, message as never) };
      refs.set(self, ref);
      return self;
    },
    ask: (ref, message) => nact.query(refs.get(ref) as never, ((back: unknown) => ({ ...message, [REPLY]: back })) as never, 5_000),
    spawner(took, ended) {
      const properties = { afterStop: ended };
      return (name) => nact.spawn(system, took as never, name, properties as never);
    },
    stop: (ref) => nact.stop(ref as never),
    async end() {
      nact.stop(system);
    },
    send: 'dispatch(REF, MESSAGE)',
    spawnCrashing(handler, thrown) {
      const crashing = (handled: number, { type }: Message): number => {
        if (type === 'crash') throw thrown();
        handler(handled);
        return handled + 1;
      };
      const onCrash = (_message: unknown, _error: unknown, context: { readonly reset: unknown }) => context.reset;
      const ref = nact.spawn(system, crashing as never, undefined, { initialState: 0, onCrash } as never);
      return { tell: (message) => nact.dispatch(ref, message as never) };
    },
    async spawnFamily(sources, family, hits) {
      // Its handlers take state and message; one without state ignores the first, as one of ours does its context.
      const [supervisor, ...workers] = sources.map(
        (source) => new Function('refs', 'hits', 'dispatch', source)(family, hits, nact.dispatch) as never,
      );
      const parent = nact.spawn(system, supervisor as never);
      family.push(parent, ...workers.map((worker) => nact.spawn(parent as never, worker)));
    },
    tellRaw: (ref, message) => nact.dispatch(ref as never, message as never),
  };
}
