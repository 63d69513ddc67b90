import { z } from 'zod';
import { type AgentDefinition, defineAgent } from '../../../src/agent/define.ts';
import { NexaError } from '../../../src/errors.ts';
import { processProtocol } from './protocol.ts';
import type { ProcessOutput, ProcessRunner, RunningProcess } from './runner.ts';

/** What may wait for a program that does not read. */
const WAITING_BYTES = 1_048_576;

const config = z.strictObject({ process: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) });

/** What a node shows whose configuration names these processes, and what an agent of one asks for. */
export const processLabels = (names: Iterable<string>): Readonly<Record<string, string>> =>
  Object.fromEntries([...names].map((name) => [`process.${name}`, 'yes']));

/** See {@link processProtocol}. @param runner what starts programs on this node. */
export function processAgent(runner: ProcessRunner): AgentDefinition<typeof processProtocol.commands, z.input<typeof config>> {
  /** Of the agents that are active here. An agent is at most once. */
  const running = new Map<string, RunningProcess>();
  const restartOf = (name: string) => runner.processes.get(name)?.restart ?? 'permanent';
  return defineAgent({
    ...processProtocol,
    summary: "Runs a program that the node's configuration names, and supervises it.",
    config,
    requires: ({ process }) => processLabels([process]),
    state: z.null(),
    initial: null,
    storage: 'memory',
  }).handle(
    {
      status({ id, config }) {
        const process = known(running, id);
        const { pid, uptimeMs, output } = process;
        const state = process.running ? 'running' : 'ended';
        return { reply: { process: config.process, state, pid, uptimeMs, lines: output.lines, untold: output.untold } };
      },
      output: ({ id }, { lines }) => ({ reply: copied(known(running, id).output, lines) }),
      write({ id }, { text, end }) {
        const process = known(running, id);
        const { waitingBytes } = process;
        if (waitingBytes === undefined) return { refused: 'not-running', details: null };
        if (waitingBytes > WAITING_BYTES) return { refused: 'backlogged', details: { waitingBytes } };
        process.write(text, end);
        return undefined;
      },
      signal({ id }, { signal }) {
        const process = known(running, id);
        if (!process.running) return { refused: 'not-running', details: null };
        process.signal(signal);
        return undefined;
      },
      ended({ config }, { code, signal, lastLine }) {
        const restart = restartOf(config.process);
        if (restart === 'temporary' || (restart === 'transient' && code === 0)) return { next: 'stop' };
        const said = lastLine === undefined ? '' : `: ${lastLine.slice(0, 200)}`;
        throw new NexaError('crashed', `${config.process} ended with ${signal ?? `code ${code}`}${said}`, {
          where: { process: config.process },
        });
      },
    },
    {
      async started(context) {
        const { id, epoch, signal } = context;
        const before = running.get(id);
        // Of an incarnation that crashed otherwise than by its program's end: two of them never run at once.
        await before?.stop();
        const process = await runner.start(context.config.process, {
          agent: id,
          epoch,
          signal,
          ...(before === undefined ? {} : { output: before.output }),
        });
        running.set(id, process);
        context.pipe(
          () => process.ended,
          (outcome) => ({
            type: 'ended',
            ...(outcome.ok ? outcome.value : { code: null, signal: null }),
            lastLine: process.output.tail(1).lines[0]?.text,
          }),
        );
      },
      async stopping({ id }) {
        const process = running.get(id);
        await process?.stop();
        if (running.get(id) === process) running.delete(id);
      },
    },
  );
}

function known(running: ReadonlyMap<string, RunningProcess>, id: string): RunningProcess {
  const process = running.get(id);
  if (process === undefined) throw new NexaError('internal', 'a process agent without its process', { where: { agent: `process/${id}` } });
  return process;
}

const copied = (output: ProcessOutput, count: number) => {
  const { lines, dropped } = output.tail(count);
  return { lines: lines.map((line) => ({ ...line })), dropped };
};
