import type { Invocation } from './command.ts';

/** Says every tenth of the way, to people only. */
export function tenths({ screen, progress }: Pick<Invocation, 'screen' | 'progress'>, what: string): (done: number, of: number) => void {
  let said = 0;
  return (done, of) => {
    const tenth = Math.floor((10 * done) / of);
    if (screen === undefined || tenth <= said) return;
    said = tenth;
    progress(`${done} of ${of} ${what}`);
  };
}
