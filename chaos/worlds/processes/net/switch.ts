import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NexaError } from '../../../../src/errors.ts';
import type { Environment } from '../../../../src/programs/cache.ts';
import { type Ran, run } from '../../../../src/programs/run.ts';
import type { FoundTool } from '../../../../src/programs/tool.ts';
import type { Place } from '../../../act.ts';
import { RULES } from './packet-filter.ts';

/** The programs of others that a net of namespaces is made with. Plain data: found by one process, used by another. */
export interface NetTools {
  readonly nft: FoundTool;
  readonly ip: FoundTool;
  readonly ss: FoundTool;
}

const STEP_MS = 20_000;
/** No name of a place begins so. */
const SWITCH = '.switch';

/**
 * A switch and the places that are wired to it, each in a network namespace of its own. Namespaces are kept by files of a file system in
 * memory, mounted at `folder` in the mount namespace of this process, so all of it ends with that.
 */
export class Switch {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #tools: NetTools;

  private constructor(folder: string, env: Environment, tools: NetTools) {
    this.#folder = folder;
    this.#env = { ...env, LC_ALL: 'C' };
    this.#tools = tools;
  }

  /** @throws NexaError `unavailable`: this process may not do it here. */
  static async open({ folder, env, tools }: { readonly folder: string; readonly env: Environment; readonly tools: NetTools }) {
    await mkdir(folder, { recursive: true });
    const made = new Switch(folder, env, tools);
    await made.#run(['mount', '-t', 'tmpfs', '-o', 'size=1m,mode=711', 'nexa-net', folder]);
    try {
      await made.#script('keep "$1"; inside "$1" "link add br0 type bridge" "link set br0 up"', [made.handle(SWITCH)]);
      await made.filter(RULES);
      return made;
    } catch (thrown) {
      await made.close();
      throw thrown;
    }
  }

  /** The file that stands for the namespace of a place. */
  handle(place: Place): string {
    return join(this.#folder, place);
  }

  /** A namespace for the place, or the one that this process is in; wired to the switch as `p<number>` under that address. */
  async wire(place: Place, number: number, address: string, own: boolean): Promise<void> {
    const [handle, port] = [this.handle(place), `p${number}`];
    await this.#script(
      `${own ? 'here' : 'keep'} "$1"
inside "$2" "link add ${port} type veth peer name eth0 netns $1" "link set ${port} master br0 up"
inside "$1" "link set lo up" "addr add ${address}/24 dev eth0" "link set eth0 up"`,
      [handle, this.handle(SWITCH)],
    );
  }

  /** Puts cables in or pulls them out. */
  async cables(numbers: readonly number[], state: 'up' | 'down'): Promise<void> {
    const commands = numbers.map((number) => `"link set p${number} ${state}"`).join(' ');
    if (numbers.length > 0) await this.#script(`inside "$1" ${commands}`, [this.handle(SWITCH)]);
  }

  /** All statements or none. */
  async filter(statements: string): Promise<void> {
    const { nft } = this.#tools;
    await this.#run(['nsenter', `--net=${this.handle(SWITCH)}`, '--', nft.path, statements], nft.env);
  }

  /** Both ends of what connects a place to that address are reset, as far as each end is here. */
  async endSockets(place: Place, address: string): Promise<void> {
    const { ss } = this.#tools;
    const { stderr } = await this.#run(['nsenter', `--net=${this.handle(place)}`, '--', ss.path, '-K', '-tn', 'dst', address], ss.env);
    if (/not supported/i.test(stderr))
      throw new NexaError('unavailable', 'this kernel lets nobody reset connections', { where: { place } });
  }

  /** What still runs at a place keeps its namespace until it ends. */
  async close(): Promise<void> {
    await this.#run(['umount', '--recursive', '--lazy', this.#folder]);
  }

  /** With two words of its own: `keep FILE` makes a namespace, `inside FILE command…` runs commands of ip in it. */
  #script(script: string, args: readonly string[]): Promise<Ran> {
    const { ip } = this.#tools;
    const words = `set -e
keep() { : > "$1"; unshare --net="$1" true; }
here() { : > "$1"; mount --bind "/proc/$$/ns/net" "$1"; }
inside() { at="$1"; shift; printf '%s\\n' "$@" | nsenter --net="$at" -- "$ip" -batch -; }
ip="$1"; shift
`;
    return this.#run(['/bin/sh', '-c', words + script, 'nexa-net', ip.path, ...args], ip.env);
  }

  async #run([command = '', ...args]: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const ran = await run(command, args, { timeoutMs: STEP_MS, env: { ...this.#env, ...env } });
    if (ran.code === 0) return ran;
    const said = (ran.stderr || ran.stdout).trim().slice(0, 400);
    throw new NexaError('unavailable', `the net cannot be made or changed: ${said || `${command} ended with ${ran.code}`}`);
  }
}
