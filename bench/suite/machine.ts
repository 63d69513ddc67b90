import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

/** Where the figures come from: without it they say nothing. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** `natsServer`: its version, if one is used. `peers`: the folder of the peers' package.json. */
export function machine(natsServer: string | undefined, peers: string): Machine {
  const manifest = JSON.parse(readFileSync(join(peers, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const own = createRequire(import.meta.url);
  const version = (name: string): string =>
    (JSON.parse(readFileSync(own.resolve(`${name}/package.json`), 'utf8')) as { version: string }).version;
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()}`,
    versions: {
      node: process.versions.node,
      v8: process.versions.v8,
      nact: version('nact'),
      nats: version('nats'),
      ...manifest.dependencies,
      ...(natsServer === undefined ? {} : { 'nats-server': natsServer }),
      ...erlang(),
    },
  };
}

function erlang(): Readonly<Record<string, string>> {
  try {
    const say = 'io:format("~s", [erlang:system_info(otp_release)]), halt().';
    return { 'erlang/otp': execFileSync('erl', ['-noshell', '-eval', say], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }) };
  } catch {
    return {};
  }
}
