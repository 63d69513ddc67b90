import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { home } from '../../suite/home.ts';

/** The command line as a user starts it, in a process of its own. */
export interface Program {
  /** All that it has written so far. */
  said(): string;
  /** Rejects when it ends before it has said so. */
  until(words: RegExp): Promise<void>;
  /** Now, whatever it is doing, and with all that it started. */
  end(): Promise<void>;
}

export function nexaProgram(command: string, flags: Readonly<Record<string, string | number>>): Program {
  const args = [command, ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)])];
  const child = spawn(process.execPath, [join(home, 'dist/bin/nexa.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NEXA_LOG: 'error', NEXA_NATS_URL: '', NEXA_CLUSTER: '' },
  });
  let said = '';
  let heard = (): void => undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4_000);
    heard();
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    said: () => said,
    until: (words) =>
      new Promise((resolve, reject) => {
        heard = () => words.test(said) && resolve();
        void ended.then(() => reject(new Error(`nexa ${command} ended:\n${said}`)));
        heard();
      }),
    async end() {
      // The first asks it to leave in good order, the second to leave it at that.
      child.kill('SIGTERM');
      child.kill('SIGINT');
      await ended;
    },
  };
}
