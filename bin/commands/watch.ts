import type { Client } from '../../src/client.ts';
import { toNexaError } from '../../src/errors.ts';
import type { Command, Screen } from '../command.ts';
import { eventLine, onceEach, type SeenEvent } from '../event-line.ts';
import { agentsOf, nodesOf } from '../shapes.ts';
import { timeText } from '../units.ts';
import { changeLine, changes, paint, type View } from '../watched.ts';

/** The cluster is looked at again after so many ticks, sooner when an event says that something changed. */
const TICK_MS = 100;
const CALM_TICKS = 20;
const BUSY_TICKS = 3;
/** Looks after an event: what it tells of reaches the other nodes' copies a little later. */
const BUSY_LOOKS = 4;
const MOST_AGENTS = 1_000;
/** Kept for the foot of the screen, and changes shown at once where there is no screen. */
const EVENTS = 50;
const CHANGES = 1_000;

export const command: Command = {
  summary: 'Watches nodes and agents: a live screen on a terminal, a line for each change elsewhere; until Ctrl-C.',
  args: [{ name: 'type', about: 'only agents of this type', optional: true }],
  examples: ['nexa watch', 'nexa watch counter', 'nexa watch -o json | grep quarantined'],
  async run({ args, connect, server, emit, progress, ended, pause, screen }) {
    const { cluster } = await connect();
    const signal = ended();
    const events: SeenEvent[] = [];
    const fresh = onceEach();
    let ticks = 0;
    let busy = 0;
    const cancel = cluster.events({}, (event) => {
      // A flood of these changes nothing that is shown.
      if (event.event !== 'dead-letter' && event.event !== 'slow-handler' && event.event !== 'omitted') busy = BUSY_LOOKS;
      ticks = Math.min(ticks, 1);
      if (!fresh(event)) return;
      events.push(event);
      if (events.length > EVENTS) events.shift();
    });
    const show = screen === undefined ? lines(emit, progress) : painter(screen, server.cluster, events);
    try {
      let view = await look(cluster, args.type);
      let problem: string | undefined;
      show.open();
      for (;;) {
        show.view(view, problem);
        for (ticks = busy > 0 ? BUSY_TICKS : CALM_TICKS; ticks > 0 && !signal.aborted; ticks--) await pause(TICK_MS);
        if (signal.aborted) return undefined;
        busy = Math.max(0, busy - 1);
        try {
          view = await look(cluster, args.type);
          problem = undefined;
        } catch (thrown) {
          const { code, message } = toNexaError(thrown, 'internal');
          problem = `nothing newer than ${timeText(view.atMs)}: ${code}: ${message}`;
        }
      }
    } finally {
      cancel();
      show.close();
    }
  },
};

async function look(cluster: Client['cluster'], type: string | undefined): Promise<View> {
  const [nodes, agents] = await Promise.all([
    cluster.nodes(),
    cluster.list({ limit: MOST_AGENTS, ...(type === undefined ? {} : { type }) }),
  ]);
  return { atMs: Date.now(), nodes: nodesOf(nodes), agents: agentsOf(agents) };
}

interface Show {
  open(): void;
  /** `problem`: this is how it was when somebody last answered. */
  view(view: View, problem: string | undefined): void;
  close(): void;
}

/** Without a terminal: everything once, then each change. */
function lines(emit: Parameters<Command['run']>[0]['emit'], progress: (line: string) => void): Show {
  let before: View | undefined;
  let said: string | undefined;
  return {
    open: () => undefined,
    view(view, problem) {
      if (problem !== undefined && said === undefined) progress(problem);
      said = problem;
      if (problem !== undefined) return;
      const all = changes(before, view);
      for (const change of all.slice(0, CHANGES)) emit({ json: change, text: (style) => changeLine(change, style) });
      if (all.length > CHANGES) progress(`${all.length - CHANGES} further changes are not shown`);
      before = view;
    },
    close: () => undefined,
  };
}

const ESC = '\u001b[';
/** A screen of its own without cursor and line wrap; and everything as it was. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l`;
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`;

function painter(screen: Screen, cluster: string, events: readonly SeenEvent[]): Show {
  const { style } = screen;
  let open = false;
  const close = (): void => {
    if (!open) return;
    open = false;
    process.off('exit', close);
    screen.write(LEAVE);
  };
  return {
    open() {
      open = true;
      screen.write(ENTER);
      // A second Ctrl-C, or an exception that nobody caught, must leave a usable terminal too.
      process.on('exit', close);
    },
    view(view, problem) {
      const painted = paint({ view, cluster, events, problem }, { rows: screen.rows, style, lineOf: (event) => eventLine(event, style) });
      screen.write(`${ESC}H${painted.map((line) => `${line}${ESC}K`).join('\r\n')}${ESC}J`);
    },
    close,
  };
}
