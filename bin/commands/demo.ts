import { type DemoReport, demo } from '../../chaos/index.ts';
import { jsonLog } from '../../src/log.ts';
import type { Command } from '../command.ts';
import { countOf } from '../options.ts';
import { untilSignal } from '../signals.ts';
import { workerCommand } from '../worker-command.ts';

export const command: Command = {
  summary: 'Three servers, three nodes, 300 agents under load; kills two nodes, drains one and counts what was acknowledged.',
  options: [{ flags: '--agents <count>', about: 'how many agents (default 300)' }],
  examples: ['nexa demo', 'nexa demo --agents 50 -o json'],
  async run({ options, environment, progress }) {
    const level = environment.logLevel ?? 'error';
    const report = await demo({
      agents: countOf(options.agents, '--agents', { least: 3, most: 5_000, fallback: 300 }),
      command: workerCommand(),
      logLevel: level,
      log: jsonLog({ level }),
      onProgress: progress,
      signal: untilSignal().aborted,
    });
    if (!report.ok) process.exitCode = 1;
    return { json: report, text: (style) => lines(report, style.good, style.bad).join('\n') };
  },
};

function lines(report: DemoReport, good: (text: string) => string, bad: (text: string) => string): readonly string[] {
  const { counts } = report;
  const errors = Object.entries(report.errors).map(([code, count]) => `${code} ${count}`);
  return [
    `cluster   ready after ${report.readyMs} ms`,
    `spawned   ${report.spawned} agents, each by message: p50 ${report.spawnMs.p50} ms, p99 ${report.spawnMs.p99} ms, max ${report.spawnMs.max} ms`,
    `asks      ${report.asks}, of them ${report.repeats} repeats; p50 ${report.askMs.p50} ms, p99 ${report.askMs.p99} ms, max ${report.askMs.max} ms`,
    `errors    ${errors.length === 0 ? 'none' : errors.join(', ')}`,
    ...report.failovers.map(
      ({ node, agents, ms, seenMs, restartedMs }) =>
        `failover  ${node}: ${agents} agents answer elsewhere after p50 ${ms.p50} ms, p99 ${ms.p99} ms, max ${ms.max} ms (p50 ${seenMs.p50} ms after its exit was seen); the node is back after ${restartedMs} ms`,
    ),
    `drain     ${report.drain.node}: ${report.drain.moved} agents moved under load in ${report.drain.ms} ms`,
    `counts    acknowledged ${counts.acknowledged}, found ${counts.found}, refused ${counts.refused}, unknown ${counts.unknown}`,
    ...report.violations.map((violation) => bad(violation)),
    report.ok ? good('every acknowledged increment is there exactly once, and none that was refused') : bad('not everything held'),
  ];
}
