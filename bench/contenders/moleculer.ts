import { peer } from '../suite/home.ts';
import type { Actors, Asked, Message, Ref } from './actors.ts';

interface Broker {
  createService(schema: object): unknown;
  start(): Promise<void>;
  stop(): Promise<void>;
  waitForServices(name: string): Promise<unknown>;
  call(action: string, params: Message, options?: { readonly timeout: number }): Promise<unknown>;
}
interface Moleculer {
  readonly ServiceBroker: new (options: object) => Broker;
}

/** Services of Moleculer on a broker without a transporter: a call runs on its caller's stack, whatever else is under way. */
export async function moleculer(): Promise<Actors & Asked> {
  const { ServiceBroker } = peer('moleculer') as Moleculer;
  const broker = new ServiceBroker({ logger: false });
  await broker.start();
  const actions = new Map<Ref, string>();
  return {
    async spawn(handler, name = `service${actions.size}`) {
      const action = `${name}.take`;
      const self: Ref = { tell: (message) => void broker.call(action, message) };
      broker.createService({ name, actions: { take: ({ params }: { readonly params: Message }) => handler(self, params) } });
      await broker.waitForServices(name);
      actions.set(self, action);
      return self;
    },
    ask: (ref, message) => broker.call(actions.get(ref) ?? '', message, { timeout: 5_000 }),
    end: () => broker.stop(),
  };
}
