import type { Command } from '../command.ts';
import { agentOf } from '../options.ts';
import { plain, type Style, stateText, table } from '../output.ts';
import { list, number, record, text } from '../shapes.ts';
import { dateText } from '../units.ts';

export const command: Command = {
  summary: 'Says why an agent is where it is: every move with its reason, its last crash, messages to it that died.',
  args: [{ name: 'agent', about: '<type>/<id>' }],
  examples: ['nexa why counter/alice', 'nexa why counter/alice -o json'],
  async run({ args, connect }) {
    const { type, id } = agentOf(args.agent);
    const said = record(await (await connect()).cluster.why(type, id));
    return { json: said, text: (style) => whyText(said, style) };
  },
};

function whyText(said: Readonly<Record<string, unknown>>, style: Style): string {
  const { type, id, node, epoch, state, why, complete, lastCrash } = said;
  const where = typeof node === 'string' ? ` on ${plain(node)}` : '';
  const parts = [
    `${style.bold(plain(`${type}/${id}`))} is ${stateText(text(state), style)}${where}, epoch ${number(epoch) ?? '-'}: ${plain(text(why))}`,
  ];
  const moves = list(said.moves).map(record);
  if (complete === false) parts.push(style.warn('the store does not answer: what it knows of moves is missing'));
  if (moves.length > 0) {
    const rows = moves.map((move) => [
      dateText(number(move.atMs) ?? Number.NaN),
      plain(text(move.node)),
      plain(text(move.cause)),
      `${number(move.epoch) ?? epoch ?? '-'}`,
      plain(text(move.why)),
    ]);
    parts.push(table(['since', 'node', 'cause', 'epoch', 'why'], rows, style));
  }
  if (lastCrash !== null && lastCrash !== undefined) {
    const crash = record(lastCrash);
    const message = plain(`${text(crash.code)}: ${text(crash.message)}`);
    parts.push(`${style.bad('last crash')} ${dateText(number(crash.atMs) ?? Number.NaN)} on ${plain(text(crash.node))}: ${message}`);
  }
  const letters = list(said.deadLetters).map(record);
  if (letters.length > 0) parts.push(lettersText(letters, style));
  const silent = list(said.silent).map(text);
  if (silent.length > 0) parts.push(style.warn(`did not answer: ${plain(silent.join(', '))}`));
  return parts.join('\n\n');
}

/** Dead letters as rows: when, where, what, to whom, from whom, and why nobody took it. */
export const lettersText = (letters: readonly Readonly<Record<string, unknown>>[], style: Style): string =>
  table(
    ['dead letter', 'node', 'type', 'to', 'from', 'reason'],
    letters.map(({ atMs, node, type, to, from, reason, error }) => [
      dateText(number(atMs) ?? Number.NaN),
      plain(text(node)),
      plain(text(type) || '-'),
      plain(text(to)),
      plain(text(from) || '-'),
      plain(error === null || error === undefined ? text(reason) : `${text(reason)} (${text(record(error).message)})`),
    ]),
    style,
  );
