import { type ActorSystem, actorSystem, oneForOne, type Props, receive } from 'nexa';
import type { Actors, Asked, Families, Message, Ref, Restarted, Stopped } from './actors.ts';

/** As large as a workload floods it: what is compared is the work of a message, not the refusal of one too many. */
const mailbox = { limit: 2_000_000, limitBytes: 2 ** 31 };

export function nexa(): Actors & Asked & Stopped & Restarted & Families {
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
    spawner(took, ended) {
      const behavior = receive<Message>(
        () => took(),
        (_context, { signal }) => {
          if (signal === 'stopping') ended();
        },
      );
      const props = { behavior: () => behavior };
      return (name) => system.spawn(props, name);
    },
    stop: (ref) => stopActor(system, ref as Ref),
    end: () => system.stop(),
    send: 'REF.tell(MESSAGE)',
    spawnCrashing(handler, thrown) {
      const props: Props<Message> = {
        behavior() {
          let handled = 0;
          return receive((_context, { type }) => {
            if (type === 'crash') throw thrown();
            handler(handled++);
          });
        },
      };
      const strategy = oneForOne({
        maxRestarts: Number.POSITIVE_INFINITY,
        backoff: { minMs: 0, maxMs: 0, factor: 1, jitter: 0 },
      });
      return new Promise((resolve) => {
        system.spawn({
          strategy,
          behavior(context) {
            resolve(context.spawn(props) as Ref);
            return receive(() => undefined);
          },
        });
      });
    },
    spawnFamily(sources, refs, hits) {
      const [supervisor, ...workers] = sources.map(
        (source) => new Function('refs', 'hits', source)(refs, hits) as (context: unknown, message: Message) => undefined,
      );
      return new Promise((resolve) => {
        system.spawn<Message>({
          behavior(context) {
            refs.push(context.self, ...workers.map((worker) => context.spawn<Message>({ behavior: () => receive(worker) })));
            resolve();
            return receive(supervisor as NonNullable<typeof supervisor>);
          },
        });
      });
    },
    tellRaw: (ref, message) => (ref as Ref).tell(message),
  };
}
const stopActor = (system: ActorSystem, ref: Ref): void => (system as unknown as { stopActor(ref: Ref): void }).stopActor(ref);
