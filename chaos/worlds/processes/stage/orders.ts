import { type ErrorData, NexaError } from '../../../../src/errors.ts';
import type { Act, ActName, Place } from '../../../act.ts';
import type { Tier } from '../../../plan.ts';
import type { NetTools } from '../net/switch.ts';
import type { Owner } from '../owner.ts';

/** What the drill's process and the stage say to each other: a JSON object on each line. Every order is answered once, by its id. */
export type Order =
  /** First, and once. Nothing is started yet. Answered with {@link Opened}. */
  | { readonly order: 'open'; readonly setting: Setting }
  | { readonly order: 'act'; readonly act: Act }
  /** How a program at `from` is spoken for by one outside: answered with {@link Way}. */
  | { readonly order: 'way'; readonly from: Place; readonly to: Place; readonly port: number }
  /** The processes of a place as they are now. Answered with {@link Pids}. */
  | { readonly order: 'pids'; readonly place: Place }
  /** Ends everything; answered with what was left behind. The stage ends then. */
  | { readonly order: 'close' };

/** All that a stage needs to know. Paths are absolute. */
export interface Setting {
  readonly tier: Tier;
  /** Of the net; undefined for proxies. */
  readonly tools?: NetTools;
  /** Whom the programs run as where the stage is root; see `sudo`. */
  readonly as?: Owner;
  readonly seed: number;
  /** What may be asked for: only for these is prepared what costs something. */
  readonly needs: readonly ActName[];
  readonly run: string;
  readonly cluster: string;
  /** Made by the drill's process; removed by the stage. */
  readonly folder: string;
  readonly servers: number;
  readonly natsServer: string;
  /** The command line program `nexa`. */
  readonly nexa: string;
  readonly logLevel: string;
  /** A folder of agent modules. */
  readonly agents?: string;
  /** What `nexa.config.json` of every node says. */
  readonly settings?: Readonly<Record<string, unknown>>;
}
export interface Opened {
  /** Where each server listens, at its own place. */
  readonly servers: readonly { readonly place: Place; readonly port: number; readonly monitorPort: number }[];
  /** On this machine, whoever listens on them: to be free at the end. */
  readonly ports: readonly number[];
  readonly cannot: Readonly<Partial<Record<ActName, string>>>;
}
/** A unix socket that leads there, or an address to dial. */
export type Way = { readonly socket: string } | { readonly host: string; readonly port: number };
export interface Pids {
  /** Of the node's own process, or of the server. */
  readonly own: number | null;
  readonly launcher: number | null;
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  /** null: of a line that was no order. */
  | { readonly id: number | null; readonly error: ErrorData };

/** What the stage tells by itself. `atMs`: of the machine's monotonic clock, the same for all processes. */
export type StageEvent =
  | {
      readonly event: 'exited';
      readonly place: Place;
      readonly launcher: boolean;
      readonly code: number | null;
      readonly signal: string | null;
      readonly atMs: number;
    }
  /** A node may act. */
  | { readonly event: 'up'; readonly place: Place; readonly pid: number; readonly atMs: number };

/** Milliseconds of the machine's monotonic clock: where `performance.now()` begins differs from process to process. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export const LONGEST_LINE = 262_144;
/** Orders that are being done at once. */
export const MOST_ORDERS = 64;
/** Marks every process of a run: `<run>`, or `<run>/<place>`. */
export const MARK = 'NEXA_DRILL';

type Check = (value: unknown) => boolean;
const isPlace: Check = (value) => typeof value === 'string' && /^[A-Za-z0-9_-]{1,16}$/.test(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const between =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most;
const whole =
  (least: number, most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && between(least, most)(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const isText: Check = (value) => typeof value === 'string' && value.length > 0 && value.length <= 4_096 && !value.includes('\0');
const isPath: Check = (value) => isText(value) && (value as string).startsWith('/');
const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isTool: Check = (value) => {
  const { path, env } = isObject(value) ? (value as Readonly<Record<string, unknown>>) : {};
  return isPath(path) && isObject(env) && Object.values(env as object).every((each) => typeof each === 'string' && each.length <= 4_096);
};
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const A_DAY_MS = 86_400_000;
const node = { node: isPlace };
const server = { server: isPlace };
const way = { from: isPlace, to: isPlace };
const ACTS: Readonly<Record<ActName, Readonly<Record<string, Check>>>> = {
  'kill-node': { ...node, silent: isFlag },
  'stop-node': node,
  'start-node': node,
  'pause-node': { ...node, launcher: isFlag },
  'resume-node': node,
  'kill-server': server,
  'pause-server': server,
  'resume-server': server,
  'stop-server': server,
  'start-server': server,
  cut: way,
  mend: way,
  'link-down': { place: isPlace },
  'link-up': { place: isPlace },
  loss: { ...way, percent: between(0, 100) },
  delay: { ...way, ms: between(0, 600_000), jitterMs: between(0, 600_000) },
  slice: { ...way, bytes: whole(0, 1_048_576) },
  reset: way,
  'half-open': { ...way, on: isFlag },
  'wall-jump': { ...node, byMs: between(-365 * A_DAY_MS, 365 * A_DAY_MS) },
  'clock-rate': { ...node, rate: between(0.01, 100) },
  'fill-disk': server,
  'free-disk': server,
  descriptors: { ...node, most: orNull(whole(0, 1_048_576)) },
  memory: { ...node, mostBytes: orNull(whole(1_048_576, Number.MAX_SAFE_INTEGER)) },
  cpu: { ...node, percent: orNull(between(1, 100)) },
  'copy-store': server,
  'roll-back': server,
  revoke: node,
  grant: node,
  election: { ms: between(0, 600_000) },
  strand: node,
  unstrand: node,
  heal: {},
};
export const ACT_NAMES = Object.keys(ACTS) as readonly ActName[];

const SETTING: Readonly<Record<keyof Setting, Check>> = {
  tier: (value) => value === 'namespaces' || value === 'sudo' || value === 'proxies',
  tools: optional((value) => isObject(value) && ['nft', 'ip', 'ss'].every((name) => isTool((value as Record<string, unknown>)[name]))),
  as: optional(
    (value) => isObject(value) && ['uid', 'gid'].every((name) => whole(0, 2 ** 32 - 2)((value as Record<string, unknown>)[name])),
  ),
  seed: whole(0, 2 ** 32 - 1),
  needs: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string' && Object.hasOwn(ACTS, name)),
  run: (value) => typeof value === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(value),
  cluster: (value) => typeof value === 'string' && /^[A-Za-z0-9_-]{1,32}$/.test(value),
  folder: isPath,
  servers: (value) => value === 1 || value === 3,
  natsServer: isPath,
  nexa: isPath,
  logLevel: isText,
  agents: optional(isPath),
  settings: optional(isObject),
};

/**
 * One line from the drill's process. Whoever writes it, nothing of it is believed before it was looked at.
 * @throws NexaError `invalid-message` naming what is wrong; `where.id` when the line had one.
 */
export function parseOrder(line: string | undefined): Order & { readonly id: number } {
  if (line === undefined) throw new NexaError('invalid-message', `a line is longer than ${LONGEST_LINE} characters`);
  let data: unknown;
  try {
    data = JSON.parse(line);
  } catch (cause) {
    throw new NexaError('invalid-message', 'a line is no JSON', { cause });
  }
  if (!isObject(data)) throw new NexaError('invalid-message', 'a line is no object');
  const given = data as Readonly<Record<string, unknown>>;
  if (!whole(0, Number.MAX_SAFE_INTEGER)(given.id)) throw new NexaError('invalid-message', 'an order has no id');
  const id = given.id as number;
  const expect = (what: string, from: unknown, fields: Readonly<Record<string, Check>>): void => {
    const object = isObject(from) ? (from as Readonly<Record<string, unknown>>) : {};
    const wrong =
      Object.keys(fields).find((name) => fields[name]?.(object[name]) !== true) ?? Object.keys(object).find((name) => !(name in fields));
    if (wrong !== undefined || from !== object)
      throw new NexaError('invalid-message', `${what} is wrong${wrong === undefined ? '' : ` at ${wrong.slice(0, 64)}`}`, {
        where: { id: String(id), ...(wrong === undefined ? {} : { field: wrong.slice(0, 64) }) },
      });
  };
  const envelope = { id: () => true, order: isText };
  switch (given.order) {
    case 'open':
      expect('open', given, { ...envelope, setting: isObject });
      expect('setting', given.setting, SETTING);
      break;
    case 'act': {
      expect('act', given, { ...envelope, act: isObject });
      const name = (given.act as Readonly<Record<string, unknown>>).act;
      const fields = typeof name === 'string' && Object.hasOwn(ACTS, name) ? ACTS[name as ActName] : undefined;
      expect('act', given.act, fields === undefined ? { act: () => false } : { ...fields, act: isText });
      break;
    }
    case 'way':
      expect('way', given, { ...envelope, from: isPlace, to: isPlace, port: whole(1, 65_535) });
      break;
    case 'pids':
      expect('pids', given, { ...envelope, place: isPlace });
      break;
    case 'close':
      expect('close', given, envelope);
      break;
    default:
      throw new NexaError('invalid-message', 'there is no such order', { where: { id: String(id) } });
  }
  return given as unknown as Order & { readonly id: number };
}
