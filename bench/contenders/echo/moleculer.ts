import { peer } from '../../suite/home.ts';
import { type Echo, TEXT } from './echo.ts';

interface Question {
  readonly n: number;
  readonly text: string;
}
interface Broker {
  createService(schema: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  waitForServices(name: string): Promise<unknown>;
  call(action: string, question: Question): Promise<Question>;
}
/** As its guide starts one over NATS, without logging; its requests have no deadline then, which costs it nothing. */
function broker(url: string): Broker {
  const { ServiceBroker } = peer('moleculer') as { readonly ServiceBroker: new (options: object) => Broker };
  return new ServiceBroker({ logger: false, transporter: { type: 'NATS', options: { servers: [url], noAsyncTraces: true } } });
}

export const moleculerEcho: Echo = {
  async far(url) {
    const service = broker(url);
    let handled = 0;
    service.createService({
      name: 'bench',
      actions: {
        echo({ params: { n, text } }: { readonly params: Question }) {
          handled++;
          return { n, text };
        },
      },
    });
    await service.start();
    return { handled: () => handled, stop: () => service.stop() };
  },
  async near(url) {
    const caller = broker(url);
    await caller.start();
    await caller.waitForServices('bench');
    return { ask: (n) => caller.call('bench.echo', { n, text: TEXT }).then((answer) => answer.n), stop: () => caller.stop() };
  },
};
