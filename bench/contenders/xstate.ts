import { peer } from '../suite/home.ts';
import type { Actors, Message, Ref } from './actors.ts';

interface Running {
  start(): void;
  stop(): void;
  send(event: Message): void;
}
interface XState {
  createActor(logic: object): Running;
  fromTransition(transition: (state: undefined, event: Message) => undefined, initial: undefined): object;
}

/** Actors of XState from a transition function. A message to one that is idle is handled on its sender's stack. */
export function xstate(): Actors {
  const { createActor, fromTransition } = peer('xstate') as XState;
  const running: Running[] = [];
  return {
    spawn(handler) {
      const actor = createActor(fromTransition((_state, event) => void handler(self, event), undefined));
      const self: Ref = { tell: (message) => actor.send(message) };
      running.push(actor);
      actor.start();
      return self;
    },
    async end() {
      for (const actor of running) actor.stop();
    },
  };
}
