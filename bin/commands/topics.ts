import { NexaError } from '../../src/errors.ts';
import { type Command, type Invocation, UsageError } from '../command.ts';
import { countOf, messageOf, required, text } from '../options.ts';
import { json, plain, table } from '../output.ts';
import { record } from '../shapes.ts';

export const command: Command = {
  summary: 'Lists who listens to which topics; watches some, or publishes to one.',
  args: [
    { name: 'action', about: 'watch or publish; without it the list', optional: true },
    { name: 'topic', about: 'a pattern such as orders.> to watch, a name to publish to', optional: true },
    { name: 'message', about: 'to publish: an object with its type, as JSON', optional: true },
  ],
  options: [{ flags: '--limit <count>', about: 'watch ends after so many' }],
  examples: ['nexa topics', `nexa topics watch 'orders.>'`, `nexa topics publish orders.eu.created '{"type":"created","order":7}'`],
  async run(invocation) {
    switch (invocation.args.action) {
      case undefined:
        return list(invocation);
      case 'watch':
        return watch(invocation);
      case 'publish':
        return publish(invocation);
      default:
        throw new UsageError(`nexa topics takes watch or publish, not ${JSON.stringify(invocation.args.action)}`);
    }
  },
};

const list: Command['run'] = async ({ connect, progress }) => {
  const said = record(await (await connect()).cluster.topics());
  const rows = (Array.isArray(said.topics) ? said.topics : []).map(record);
  for (const node of Array.isArray(said.silent) ? said.silent : []) progress(`${plain(String(node))} did not answer`);
  if (said.more === true) progress('there are more than these');
  const cell = (value: unknown): string => plain(value === null || value === undefined ? '-' : String(value));
  const columns = ['pattern', 'group', 'node', 'subscribers', 'delivered'];
  return {
    json: rows,
    text: (style) =>
      table(
        columns,
        rows.map((row) => columns.map((column) => cell(row[column]))),
        style,
      ),
  };
};

const watch: Command['run'] = async ({ args, options, connect, progress, emit, ended }) => {
  const pattern = required(args.topic, 'the pattern to watch');
  if (args.message !== undefined) throw new UsageError('watch takes one pattern');
  const limit = countOf(options.limit, '--limit', { least: 1, most: 1_000_000, fallback: Number.POSITIVE_INFINITY });
  const topic = (await connect()).topic(pattern);
  const signal = ended();
  let shown = 0;
  const { promise, resolve } = settled();
  if (signal.aborted) resolve();
  signal.addEventListener('abort', resolve, { once: true });
  const cancel = await topic.subscribe((message, name) => {
    if (shown >= limit) return;
    emit({ json: { topic: name, message }, text: (style) => `${style.bold(plain(name))} ${json(message)}` });
    if (++shown >= limit) resolve();
  });
  progress(`listening to ${plain(pattern)}; Ctrl-C ends`);
  await promise;
  cancel();
  return undefined;
};

const publish = async ({ args, options, connect }: Invocation): ReturnType<Command['run']> => {
  const name = required(args.topic, 'the topic to publish to');
  if (text(options.limit) !== undefined) throw new UsageError('--limit is of watch');
  const message = messageOf(args.message);
  const sent = (await connect()).topic<typeof message>(name).publish(message);
  if (!sent) throw new NexaError('disconnected', 'the connection to NATS is broken, or takes no more', { where: { topic: name } });
  return { json: { published: name }, text: () => `published to ${plain(name)}` };
};

function settled(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
