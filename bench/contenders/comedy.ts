import { peer } from '../suite/home.ts';
import type { Actors, Message, Ref } from './actors.ts';

interface Child {
  send(topic: string, message: Message): unknown;
}
interface Comedy {
  createSystem(options: { readonly test: boolean }): {
    rootActor(): Promise<{ createChild(definition: object): Promise<Child> }>;
    destroy(): Promise<void>;
  };
}

/** Actors of Comedy in this process, its default mode. */
export async function comedy(): Promise<Actors> {
  // Quiet, as in its own tests.
  const system = (peer('comedy') as Comedy).createSystem({ test: true });
  const root = await system.rootActor();
  return {
    async spawn(handler) {
      const child = await root.createChild({ take: (message: Message) => void handler(self, message) });
      const self: Ref = { tell: (message) => void child.send('take', message) };
      return self;
    },
    end: () => system.destroy(),
  };
}
