import { type Command, UsageError } from '../command.ts';
import { agentOf, countOf, messageOf, required, text } from '../options.ts';
import { facts, json, plain, type Style, table } from '../output.ts';
import { list as listOf, number, record, text as textOf } from '../shapes.ts';
import { dateText } from '../units.ts';

type Run = Command['run'];
const ACTIONS: Readonly<Record<string, Run>> = { list, show, edit, replay, discard };

export const command: Command = {
  summary: 'Durable messages that failed too often and were put aside: lists, shows, edits, replays or discards them.',
  args: [
    { name: 'action', about: Object.keys(ACTIONS).join(', ') },
    { name: 'which', about: 'list: <type> or <type>/<id>, without it all; else the number', optional: true },
    { name: 'command', about: 'edit: the command to put in its place, as JSON', optional: true },
  ],
  options: [
    { flags: '--after <number>', about: 'list: only those with a higher number' },
    { flags: '--limit <count>', about: 'list: so many at most (default 100, most 1000)' },
  ],
  examples: [
    'nexa dead list',
    'nexa dead list account/alice -o json',
    'nexa dead show 17',
    `nexa dead edit 17 '{"type":"deposit","cents":100}'`,
    'nexa dead replay 18',
    'nexa dead discard 18',
  ],
  async run(invocation) {
    const { action = '' } = invocation.args;
    const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (run === undefined) throw new UsageError(`nexa dead takes ${Object.keys(ACTIONS).join(', ')}, not ${JSON.stringify(action)}`);
    if (action !== 'edit' && invocation.args.command !== undefined) throw new UsageError(`nexa dead ${action} takes no command`);
    if (action !== 'list' && (invocation.options.after ?? invocation.options.limit) !== undefined)
      throw new UsageError('--after and --limit are of list');
    return run(invocation);
  },
};

async function list({ args, options, connect, progress }: Parameters<Run>[0]): ReturnType<Run> {
  const { which } = args;
  const agent = which === undefined ? {} : which.includes('/') ? agentOf(which) : { type: which };
  const after = text(options.after) === undefined ? {} : { after: numberOf(options.after) };
  const limit = countOf(options.limit, '--limit', { least: 1, most: 1_000, fallback: 100 });
  const said = record(await (await connect()).cluster.dead.list({ ...agent, ...after, limit }));
  const rows = listOf(said.dead).map(record);
  const last = rows.at(-1)?.number;
  if (said.more === true) progress(`there are more: nexa dead list --after ${last}`);
  return {
    json: rows,
    text: (style) =>
      table(
        ['number', 'agent', 'command', 'message id', 'tries', 'died', 'error'],
        rows.map((row) => [`${row.number}`, agentText(row), cell(row.command), cell(row.messageId), `${row.tries}`, died(row), error(row)]),
        style,
      ),
  };
}
async function show({ args, connect }: Parameters<Run>[0]): ReturnType<Run> {
  const said = record(await (await connect()).cluster.dead.show(numberOf(args.which)));
  return { json: said, text: (style) => shownText(said, style) };
}
async function edit({ args, connect }: Parameters<Run>[0]): ReturnType<Run> {
  const before = numberOf(args.which);
  const message = messageOf(args.command);
  const now = number(record(await (await connect()).cluster.dead.edit(before, message)).number);
  return { json: { edited: before, number: now }, text: () => `${before} is ${now} now; replay it with: nexa dead replay ${now}` };
}
async function replay({ args, connect }: Parameters<Run>[0]): ReturnType<Run> {
  const which = numberOf(args.which);
  const { type, id } = record(await (await connect()).cluster.dead.replay(which));
  return { json: { replayed: which, type, id }, text: () => `${which} is stored for ${agentText({ type, id })} again` };
}
async function discard({ args, connect }: Parameters<Run>[0]): ReturnType<Run> {
  const which = numberOf(args.which);
  await (await connect()).cluster.dead.discard(which);
  return { json: { discarded: which }, text: () => `${which} is discarded` };
}

function numberOf(value: unknown): number {
  const given = required(text(value), 'the number');
  if (/^[1-9]\d{0,15}$/.test(given) && Number.isSafeInteger(Number(given))) return Number(given);
  throw new UsageError(`${JSON.stringify(given)} is no number of a dead message: see nexa dead list`);
}
type Row = Readonly<Record<string, unknown>>;
const cell = (value: unknown): string => plain(textOf(value) || '-');
const agentText = ({ type, id }: Row): string => (typeof type === 'string' ? plain(`${type}/${textOf(id)}`) : '-');
const died = ({ diedAtMs }: Row): string => dateText(number(diedAtMs) ?? Number.NaN);
const error = (row: Row): string => {
  const { code, message } = record(row.error);
  return plain(`${textOf(code)}: ${textOf(message)}`.slice(0, 200));
};

const shownText = (said: Row, style: Style): string =>
  facts(
    [
      ['agent', agentText(said)],
      ['message id', cell(said.messageId)],
      ['stored', dateText(number(said.storedAtMs) ?? Number.NaN)],
      ['died', died(said)],
      ['tries', `${said.tries}`],
      ['error', error(said)],
      ['message', 'message' in said ? json(said.message) : `cannot be read (${said.bytes} bytes)`],
    ],
    style,
  );
