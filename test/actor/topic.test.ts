import { expect, test } from 'vitest';
import { receive } from '../../src/actor/behavior.ts';
import type { Message } from '../../src/actor/message.ts';
import { actorSystem } from '../../src/actor-system.ts';
import { kit } from './kit.ts';

interface News extends Message {
  readonly type: 'news';
  readonly text: string;
  readonly tags?: string[];
}

test('actors of one process meet at a topic without a cluster, and none of them gets the object of another', async () => {
  await using system = actorSystem();
  const heard = new Promise<News>((resolve) => {
    system.spawn<News>({
      behavior: (context) => {
        context.topic<News>('news.*').subscribe((message) => message);
        return receive((_context, message) => resolve(message));
      },
    });
  });
  const published: News = { type: 'news', text: 'rain', tags: ['weather'] };
  await new Promise((resolve) => setImmediate(resolve));
  expect(system.topic<News>('news.today').publish(published)).toBe(true);
  expect(await heard).toEqual(published);
  expect((await heard).tags).not.toBe(published.tags);
});

test('a system without a broker says so, and a name that is none is refused where it is given', async () => {
  await using made = kit();
  expect(() => made.system.topic('news')).toThrow(expect.objectContaining({ code: 'unavailable', retryable: false }));
  await using system = actorSystem();
  for (const name of ['', 'a..b', 'a b', '>.a']) expect(() => system.topic(name)).toThrow(expect.objectContaining({ code: 'bad-id' }));
});
