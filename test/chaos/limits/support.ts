import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machines } from '../../../chaos/worlds/processes/stage/limits/limit.ts';
import { systemClock } from '../../../src/system-clock.ts';

/** A real process that stands for a node's. */
export interface Subject extends AsyncDisposable {
  readonly pid: number;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  ask<Answer>(order: string, given?: object): Promise<Answer>;
}

export async function subject(env: Readonly<Record<string, string>> = {}): Promise<Subject> {
  const child: ChildProcess = fork(fileURLToPath(new URL('subject.mjs', import.meta.url)), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit').then(([code, signal]) => ({ code: code as number | null, signal: signal as string | null }));
  await once(child, 'message');
  let ids = 0;
  return {
    pid: child.pid as number,
    exited,
    ask: <Answer>(order: string, given: object = {}) =>
      new Promise<Answer>((resolve, reject) => {
        const id = ++ids;
        const heard = (answer: { readonly id: number }): void => {
          if (answer.id !== id) return;
          child.off('message', heard);
          resolve(answer as Answer);
        };
        child.on('message', heard);
        void exited.then(() => reject(new Error('it has ended')));
        child.send({ id, do: order, ...given });
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** A stage with nothing on it but what a test puts there. */
export function machines(given: Partial<Machines> = {}): Machines & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'nexa-limits-'));
  const none = async (): Promise<never> => {
    throw new Error('nothing of that kind is on this stage');
  };
  return {
    folder,
    clock: systemClock,
    wants: () => true,
    ownMounts: false,
    pid: () => undefined,
    isPaused: () => false,
    serverFolder: (server) => join(folder, server),
    own: () => {},
    kill: none,
    start: none,
    reload: none,
    isHealthy: async () => false,
    ...given,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
