import nact from 'nact';
import type { Actors, Message, Ref } from './actors.ts';

const REPLY = Symbol('reply');

export function plainNact(): Actors {
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
    stop: (ref) => nact.stop(refs.get(ref) as never),
    async end() {
      nact.stop(system);
    },
    send: 'dispatch(REF, MESSAGE)',
    spawnFamily(sources, { refs: family, counter }) {
      // Its handlers take state and message; one without state ignores the first, as one of ours does its context.
      const [supervisor, ...workers] = sources.map(
        (source) => new Function('refs', 'counter', 'dispatch', source)(family, counter, nact.dispatch) as never,
      );
      const parent = nact.spawn(system, supervisor as never);
      family.push(parent, ...workers.map((worker) => nact.spawn(parent as never, worker)));
    },
    tellRaw: (ref, message) => nact.dispatch(ref as never, message as never),
  };
}
