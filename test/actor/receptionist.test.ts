import { describe, expect, test } from 'vitest';
import { type ActorRef, actorSystem, type Request, receive, type Service, type ServiceKey, serviceKey, stopped } from '../../index.ts';
import { until } from '../support/real.ts';

type Work = { readonly type: 'end' } | Request<{ readonly type: 'name' }, string>;
const workers: ServiceKey<Work> = serviceKey('workers of the night');
const worker = (name: string) => ({
  behavior: () =>
    receive<Work>((context, message) => {
      if (message.type === 'end') return stopped;
      context.reply(message, name);
    }),
});
const names = async (services: readonly Service<Work>[]) =>
  Promise.all(services.map(({ ref }) => ref.ask({ type: 'name' }, { timeoutMs: 1_000 })));

describe('the receptionist of a system without a cluster', () => {
  test('shows whom it was told of, with their metadata, by key, and their refs work', async () => {
    await using system = actorSystem();
    const { receptionist } = system;
    expect(receptionist.find(workers)).toEqual([]);
    const a = system.spawn(worker('a'));
    const registered = await receptionist.register(workers, a, { instance: 'first', metadata: { zone: 'x', cores: 4 } });
    expect(registered).toEqual({ key: workers.name, instance: 'first' });
    await receptionist.register(workers, system.spawn(worker('b')), { instance: 'second', metadata: { zone: 'y' } });
    const all = receptionist.find(workers);
    expect(all.map(({ instance, metadata, node }) => [instance, metadata, node])).toEqual([
      ['first', { zone: 'x', cores: 4 }, 'local'],
      ['second', { zone: 'y' }, 'local'],
    ]);
    expect(await names(all)).toEqual(['a', 'b']);
    expect(await names(receptionist.find(workers, { metadata: { zone: 'y' } }))).toEqual(['b']);
    expect(receptionist.find(workers, { node: 'elsewhere' })).toEqual([]);
    expect(receptionist.find(serviceKey('others'))).toEqual([]);
  });

  test('registering again changes the metadata and makes no second entry; deregistering twice is nothing', async () => {
    await using system = actorSystem();
    const { receptionist } = system;
    const a = system.spawn(worker('a'));
    await receptionist.register(workers, a, { metadata: { load: 1 } });
    const [first] = receptionist.find(workers);
    await receptionist.register(workers, a, { metadata: { load: 2 } });
    expect(receptionist.find(workers)).toEqual([{ ...first, metadata: { load: 2 }, ref: expect.anything() }]);
    await receptionist.deregister(workers, a);
    await receptionist.deregister(workers, a);
    expect(receptionist.find(workers)).toEqual([]);
  });

  test('an entry ends with its actor', async () => {
    await using system = actorSystem();
    const a = system.spawn(worker('a'));
    await system.receptionist.register(workers, a);
    a.tell({ type: 'end' });
    await until(() => system.receptionist.find(workers).length === 0);
    await expect(system.receptionist.register(workers, a)).rejects.toMatchObject({ code: 'no-such-actor' });
  });

  test('a subscriber gets the listing of now, then each change, and nothing once it has left', async () => {
    await using system = actorSystem();
    const { receptionist } = system;
    const heard: (readonly string[])[] = [];
    const leave = receptionist.subscribe(workers, (services) => heard.push(services.map(({ instance }) => instance)));
    await until(() => heard.length === 1);
    const a = system.spawn(worker('a'));
    await receptionist.register(workers, a, { instance: 'a' });
    await until(() => heard.at(-1)?.length === 1);
    a.tell({ type: 'end' });
    await until(() => heard.at(-1)?.length === 0);
    leave();
    let others = 0;
    receptionist.subscribe(workers, ({ length }) => {
      others = length;
    });
    await receptionist.register(workers, system.spawn(worker('b')));
    await until(() => others === 1);
    expect(heard).toEqual([[], ['a'], []]);
  });

  test('an actor gets listings as its own messages, registers itself, and its subscription ends with it', async () => {
    await using system = actorSystem();
    type Own = { readonly type: 'listed'; readonly services: readonly Service<Work>[] } | Work;
    const heard: number[] = [];
    const self: ActorRef<Own> = system.spawn<Own>({
      behavior: (context) => {
        context.receptionist.subscribe(workers, (services) => ({ type: 'listed', services }));
        context.pipe(
          () => context.receptionist.register(workers, context.self),
          () => ({ type: 'listed', services: [] }),
        );
        return receive((_context, message) => {
          if (message.type === 'end') return stopped;
          if (message.type === 'listed') heard.push(message.services.length);
        });
      },
    });
    await until(() => heard.includes(1));
    self.tell({ type: 'end' });
    await until(() => system.receptionist.find(workers).length === 0);
    const before = heard.length;
    let others = 0;
    system.receptionist.subscribe(workers, ({ length }) => {
      others = length;
    });
    await system.receptionist.register(workers, system.spawn(worker('b')));
    await until(() => others === 1);
    expect(heard.length).toBe(before);
  });

  test('routees are those of now, and each later list', async () => {
    await using system = actorSystem();
    const { receptionist } = system;
    const routees = receptionist.routees(workers, { metadata: { zone: 'x' } });
    expect(routees.current()).toEqual([]);
    const lists: number[] = [];
    const cancel = routees.onChange((refs) => lists.push(refs.length));
    await receptionist.register(workers, system.spawn(worker('a')), { metadata: { zone: 'x' } });
    await receptionist.register(workers, system.spawn(worker('b')), { metadata: { zone: 'y' } });
    await until(() => lists.includes(1));
    expect(await Promise.all(routees.current().map((ref) => ref.ask({ type: 'name' }, { timeoutMs: 1_000 })))).toEqual(['a']);
    cancel();
  });
});

describe('bad input', () => {
  test('a key that is none is refused by type', () => {
    for (const name of ['', '$clients', 'x'.repeat(300), '\ud800'])
      expect(() => serviceKey(name), name).toThrow(expect.objectContaining({ code: 'bad-id' }));
    for (const name of ['a.b', 'a b', '*', '>', 'a\r\nPUB x', '日本']) expect(serviceKey(name).name).toBe(name);
  });

  test('names with what a subject would act on are encoded, and come back as they were', async () => {
    await using system = actorSystem();
    for (const name of ['a.b', '*', '>', 'a\r\nPUB x']) {
      await system.receptionist.register(serviceKey<Work>(name), system.spawn(worker('a')), { instance: `${name}.${name}` });
      expect(system.receptionist.find(serviceKey<Work>(name)).map(({ key, instance }) => [key, instance])).toEqual([
        [name, `${name}.${name}`],
      ]);
    }
  });

  test('metadata that is too large or no data, instances that are none, and somebody else in one are refused, and nothing is there', async () => {
    await using system = actorSystem();
    const { receptionist } = system;
    const a = system.spawn(worker('a'));
    const refused = (code: string, options: object, ref = a) =>
      expect(receptionist.register(workers, ref, options)).rejects.toMatchObject({ code });
    await refused('quota-exceeded', { metadata: { much: 'x'.repeat(5_000) } });
    for (const metadata of [{ f: () => 1 }, { n: Number.NaN }, { d: new Date(0) }, [1], 'x', JSON.parse('{"__proto__":{"a":1}}')])
      await refused('not-encodable', { metadata });
    await refused('bad-id', { instance: '' });
    await refused('bad-id', { instance: 'x'.repeat(300) });
    await refused('invalid-message', {}, system.unsafeRef(`nexa://local.1/${'x'}#0`));
    expect(receptionist.find(workers)).toEqual([]);
    await receptionist.register(workers, a, { instance: 'one' });
    await refused('conflict', { instance: 'one' }, system.spawn(worker('b')));
    a.tell({ type: 'end' });
    await until(() => receptionist.find(workers).length === 0);
    await receptionist.register(workers, system.spawn(worker('c')), { instance: 'one' });
    expect(await names(receptionist.find(workers))).toEqual(['c']);
  });

  test('a listener that throws harms nobody', async () => {
    await using system = actorSystem();
    let heard = 0;
    system.receptionist.subscribe(workers, () => {
      throw new Error('mine');
    });
    system.receptionist.subscribe(workers, () => heard++);
    await until(() => heard === 1);
  });
});
