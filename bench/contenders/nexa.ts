import { type ActorSystem, actorSystem, type Props, receive } from 'nexa';
import type { Actors, Message, Ref } from './actors.ts';

/** As large as a workload floods it: what is compared is the work of a message, not the refusal of one too many. */
const mailbox = { limit: 2_000_000, limitBytes: 2 ** 31 };

export function nexa(): Actors {
  const system = actorSystem();
  const recipes = new WeakMap<object, Props<Message>>();
  return {
    spawn(handler, name) {
      let props = recipes.get(handler);
      if (props === undefined) {
        const behavior = receive<Message>((context, message) => {
          const answer = handler(context.self as Ref, message);
          if (answer !== undefined) context.reply(message, answer as never);
        });
        props = { mailbox, behavior: () => behavior };
        recipes.set(handler, props);
      }
      return system.spawn(props, name) as Ref;
    },
    ask: (ref, message) =>
      (ref as unknown as { ask(message: Message, options: object): Promise<unknown> }).ask(message, { timeoutMs: 5_000 }),
    stop: (ref) => stopActor(system, ref),
    end: () => system.stop(),
    send: 'REF.tell(MESSAGE)',
    spawnFamily(sources, { refs, counter }) {
      const [supervisor, ...workers] = sources.map(
        (source) => new Function('refs', 'counter', source)(refs, counter) as (context: unknown, message: Message) => undefined,
      );
      const props: Props<Message> = {
        behavior(context) {
          refs.push(context.self, ...workers.map((worker) => context.spawn<Message>({ behavior: () => receive(worker) })));
          return receive(supervisor as NonNullable<typeof supervisor>);
        },
      };
      system.spawn(props);
    },
    tellRaw: (ref, message) => (ref as Ref).tell(message),
  };
}
const stopActor = (system: ActorSystem, ref: Ref): void => (system as unknown as { stopActor(ref: Ref): void }).stopActor(ref);
