import { plain, type Style } from './output.ts';
import { record } from './shapes.ts';

const list = (value: unknown): readonly Readonly<Record<string, unknown>>[] => (Array.isArray(value) ? value.map(record) : []);
const words = (value: unknown): string => plain(String(value));

/** Those parts of a status that are long as JSON, in a few words. Undefined is shown as JSON. */
export const summaries: Readonly<Record<string, (value: unknown, style: Style) => string | undefined>> = {
  degraded: (value, style) => (Array.isArray(value) ? (value.length === 0 ? 'no' : style.warn(value.map(words).join(', '))) : undefined),
  subsystems: (value, style) =>
    Object.entries(record(value))
      .map(([name, state]) => `${words(name)} ${state === 'ok' ? style.good('ok') : style.warn(words(state))}`)
      .join(', '),
  selfTest(value, style) {
    const { verdict, tookMs, checks } = record(value);
    const all = list(checks);
    const wrong = all.filter((check) => check.verdict === 'failed' || check.verdict === 'warning');
    const head = `${verdict === 'ok' ? style.good('ok') : style.warn(words(verdict))}, ${all.length} checks in ${words(tookMs)} ms`;
    return [head, ...wrong.map(({ check, message, fix }) => style.warn(`${words(check)}: ${words(message)} — ${words(fix)}`))].join('; ');
  },
  admission(value, style) {
    const { level, memory, maxAgents } = record(value);
    const head = level === 'open' ? style.good('open') : style.warn(words(level));
    const used = typeof memory === 'number' ? `, ${Math.round(memory * 100)} % of its memory used` : '';
    return `${head}${used}, ${words(maxAgents)} agents at most`;
  },
  health(value, style) {
    if (value === null) return 'unknown';
    const { level, checks } = record(value);
    const wrong = list(checks).filter((check) => check.level !== 'ok');
    const head = level === 'ok' ? style.good('ok') : style.warn(words(level));
    return [
      head,
      ...wrong.map(({ name, level: how, value: at, unit }) => style.warn(`${words(name)} ${words(how)} at ${words(at)} ${words(unit)}`)),
    ].join('; ');
  },
  peers(value) {
    const peers = list(value);
    const silent = peers.filter(({ heard }) => heard === false).map(({ node }) => words(node));
    return `${peers.length}${silent.length === 0 ? '' : `, not heard: ${silent.join(', ')}`}`;
  },
  gaps: (value, style) => {
    const gaps = list(value);
    return gaps.length === 0 ? 'none' : style.bad(gaps.map(({ message }) => words(message)).join('; '));
  },
};
