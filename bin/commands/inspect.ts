import type { Command } from '../command.ts';
import { agentOf, required } from '../options.ts';
import { facts, json, plain, type Style, stateText, table } from '../output.ts';
import { list, number, record, text } from '../shapes.ts';
import { bytesText, dateText, durationText } from '../units.ts';
import { lettersText } from './why.ts';

export const command: Command = {
  summary: 'Shows everything about one agent, or about one node: what it was given, and what it takes of what it may.',
  args: [
    { name: 'target', about: '<type>/<id>, or the word node' },
    { name: 'name', about: 'after node: its name', optional: true },
  ],
  examples: ['nexa inspect counter/alice', 'nexa inspect node n1', 'nexa inspect counter/alice -o json'],
  async run({ args, connect }) {
    if (args.target === 'node') {
      const node = required(args.name, 'the name of the node');
      const said = record(await (await connect()).cluster.inspectNode(node));
      return { json: said, text: (style) => nodeText(said, style) };
    }
    const { type, id } = agentOf(args.target);
    const said = record(await (await connect()).cluster.inspect(type, id));
    return { json: said, text: (style) => agentText(said, style) };
  },
};

type Said = Readonly<Record<string, unknown>>;
const count = (value: unknown): string => (typeof value === 'number' ? String(Math.round(value * 10) / 10) : '-');
const bytes = (value: unknown): string => (typeof value === 'number' ? bytesText(value) : '-');
const of = (used: string, allocated: string): string => `${used} of ${allocated}`;
/** Texts as they are, anything else as JSON; nothing that is null. */
const shown = (value: unknown): string => plain(typeof value === 'string' ? value : json(value));

function agentText(said: Said, style: Style): string {
  const { type, id, node, incarnation, epoch, state, why, cause, restart, placement, version, config, configBytes, answered } = said;
  const lines: (readonly [string, string])[] = [
    ['agent', style.bold(plain(`${type}/${id}`))],
    ['state', stateText(text(state), style)],
    ['node', typeof node === 'string' ? plain(`${node} (incarnation ${incarnation})`) : '-'],
    ['epoch', count(epoch)],
    ['why', shown(cause === undefined ? why : `${cause}: ${why}`)],
    ['restart', shown(restart)],
    ['placement', shown(placement)],
    ['version', count(version)],
    ['config', config === null && typeof configBytes === 'number' && configBytes > 4 ? bytesText(configBytes) : shown(config)],
  ];
  if (said.running === null || said.running === undefined) {
    if (answered === false) lines.push(['owner', style.warn('does not answer')]);
  } else lines.push(...runningLines(record(said.running)));
  if (said.lastCrash !== null && said.lastCrash !== undefined) {
    const { atMs, code, message } = record(said.lastCrash);
    lines.push(['last crash', `${dateText(number(atMs) ?? Number.NaN)} ${style.bad(plain(`${text(code)}: ${text(message)}`))}`]);
  }
  for (const reminder of list(said.reminders).map(record)) lines.push(['reminder', reminderText(reminder)]);
  return facts(lines, style);
}

function reminderText({ name, schedule, dueAtMs, firedAtMs }: Said): string {
  const { everyMs, cron, timeZone } = record(schedule);
  const every = number(everyMs);
  const when = cron !== undefined ? `${text(cron)} (${text(timeZone)})` : every !== null ? `every ${durationText(every)}` : 'once';
  const last = number(firedAtMs);
  const times = `next ${dateText(number(dueAtMs) ?? Number.NaN)}${last === null ? '' : `, last ${dateText(last)}`}`;
  return plain(`${text(name)}: ${when}, ${times}`);
}

function runningLines(running: Said): readonly (readonly [string, string])[] {
  const children = list(running.children).map(text);
  const more = number(running.moreChildren) ?? 0;
  return [
    [
      'mailbox',
      `${of(count(running.mailbox), count(running.mailboxLimit))}, ${of(bytes(running.mailboxBytes), bytes(running.mailboxLimitBytes))}`,
    ],
    ['stored', of(bytes(running.stateBytes), bytes(running.stateLimitBytes))],
    ['handled', `${count(running.handled)} in ${durationText(number(running.busyMs) ?? Number.NaN)}`],
    ['slow', `${count(running.slow)} turns longer than ${durationText(number(running.handlerLimitMs) ?? Number.NaN)}`],
    ['restarts', count(running.restarts)],
    ['timers', count(running.timers)],
    ['children', children.length === 0 ? 'none' : plain(`${children.join(', ')}${more > 0 ? ` and ${more} more` : ''}`)],
  ];
}

function nodeText(said: Said, style: Style): string {
  const status = record(said.status);
  const sample = record(said.sample);
  const minute = record(said.lastMinute);
  const range = (name: string, form: (value: unknown) => string): string => {
    const { least, mean, most } = record(minute[name]);
    return mean === undefined ? '' : `, last minute ${form(least)} to ${form(most)}, mean ${form(mean)}`;
  };
  const nats = record(sample.nats);
  const marks = [
    ...(status.suspended === true ? ['suspended'] : []),
    ...(status.cordoned === true ? ['cordoned'] : []),
    ...(status.ready === false ? ['not ready'] : []),
    ...list(status.degraded).map((check) => `degraded: ${plain(text(check))}`),
  ];
  const lines: (readonly [string, string])[] = [
    ['node', style.bold(shown(status.node))],
    ['state', [stateText(text(status.state), style), ...marks.map((mark) => style.warn(mark))].join(' ')],
    ['uptime', durationText(number(status.uptimeMs) ?? Number.NaN)],
    ['cpu', `${count(sample.cpu)} cores${range('cpu', count)}`],
    ['memory', `${of(bytes(sample.rssBytes), bytes(sample.memoryLimitBytes))}${range('rssBytes', bytes)}`],
    ['heap', `${of(bytes(sample.heapBytes), bytes(sample.heapLimitBytes))}, ${bytes(sample.externalBytes)} outside it`],
    [
      'loop lag',
      `p50 ${count(sample.lagP50Ms)} ms, p99 ${count(sample.lagMs)} ms, max ${count(sample.lagMaxMs)} ms${range('lagMs', count)}`,
    ],
    ['turns', `${count(sample.turnsPerS)} a second${range('turnsPerS', count)}`],
    ['actors', `${count(sample.actors)}, of them agents ${count(sample.agents)}; capacity ${count(sample.capacity)}`],
    [
      'nodes',
      `in ${count(sample.messagesIn)} messages, ${bytes(sample.bytesIn)}; out ${count(sample.messagesOut)}, ${bytes(sample.bytesOut)}`,
    ],
    ['nats', `in ${count(nats.messagesIn)} messages, ${bytes(nats.bytesIn)}; out ${count(nats.messagesOut)}, ${bytes(nats.bytesOut)}`],
    ['dead letters', shown(sample.deadLetters ?? status.deadLetters)],
  ];
  const parts = [facts(lines, style)];
  const types = Object.entries(record(sample.types));
  if (types.length > 0) parts.push(typesText(types, style));
  const peers = list(sample.peers).map(record);
  if (peers.length > 0) parts.push(peersText(peers, style));
  const gaps = list(status.gaps).map((gap) => style.warn(plain(text(record(gap).message))));
  if (gaps.length > 0) parts.push(gaps.join('\n'));
  const letters = list(said.deadLetters).map(record);
  if (letters.length > 0)
    parts.push(
      lettersText(
        letters.map((letter) => ({ ...letter, node: status.node })),
        style,
      ),
    );
  return parts.join('\n\n');
}

const typesText = (types: readonly (readonly [string, unknown])[], style: Style): string =>
  table(
    ['type', 'agents', 'handled', 'per s', 'mean ms', 'p99 ms', 'failures', 'mailbox', 'bytes', 'state'],
    types.map(([type, value]) => {
      const sample = record(value);
      return [
        ...[plain(type), count(sample.agents), count(sample.handled), count(sample.handledPerS), count(sample.handlerMeanMs)],
        ...[count(sample.handlerP99Ms), count(sample.failures), of(count(sample.mailbox), count(sample.mailboxLimit))],
        ...[of(bytes(sample.mailboxBytes), bytes(sample.mailboxLimitBytes)), of(bytes(sample.stateBytes), bytes(sample.stateLimitBytes))],
      ];
    }),
    style,
  );

const peersText = (peers: readonly Said[], style: Style): string =>
  table(
    ['peer', 'sent', 'bytes', 'received', 'bytes', 'in flight', 'gaps'],
    peers.map(({ node, sent, sentBytes, received, receivedBytes, inFlight, gaps }) => [
      ...[shown(node), count(sent), bytes(sentBytes), count(received), bytes(receivedBytes), count(inFlight), count(gaps)],
    ]),
    style,
  );
