import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Logger } from '../ports/logger.ts';
import type { Transport } from '../ports/transport.ts';
import type { Copy } from './copy.ts';
import type { Beat } from './members.ts';
import type { Subjects } from './subject.ts';
import type { Wire } from './wire.ts';

/** What nodes tell everybody, lossily: beats, and that a record is worth reading. Nothing is decided by it. */
export interface Hearsay {
  /** That this key has a new revision: a failover does not wait for a watch. */
  announce(kind: 'member' | 'agent', key: string, revision: number): void;
  /** A beat out of turn, when something in it has changed. */
  beatNow(): void;
  stop(): void;
}

export function hearsay(options: {
  /** Beats leave on data and are heard on control: so each connection is seen to work. */
  readonly data: Transport;
  readonly control: Transport;
  readonly subjects: Subjects;
  readonly wire: Wire;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly log: Logger;
  readonly beatMs: number;
  readonly beat: () => Beat;
  readonly onBeat: (beat: Beat) => void;
  readonly members: Copy<unknown>;
  readonly agents: Copy<unknown>;
}): Hearsay {
  const { data, control, subjects, wire, codec, clock, log } = options;
  let stopped = false;
  const quietly = (what: string, run: () => void): void => {
    try {
      run();
    } catch (error) {
      log.debug({ error: String(error) }, what);
    }
  };
  const beatNow = (): void => {
    if (!stopped) quietly('a beat was not sent', () => data.publish(subjects.beat, wire.beat(options.beat())));
  };
  const beatAgain = (): void => {
    cancelBeat = clock.after(options.beatMs, beatAgain);
    beatNow();
  };
  const follow = (kind: 'member' | 'agent', copy: Copy<unknown>) =>
    data.subscribe(subjects.event(kind), ({ payload }) =>
      quietly('a hint cannot be read', () => {
        const hint = codec.decode(payload);
        if (Array.isArray(hint) && typeof hint[0] === 'string' && typeof hint[1] === 'number') copy.hint(hint[0], hint[1]);
      }),
    );
  let cancelBeat = clock.after(0, beatAgain);
  const cancels = [
    follow('member', options.members),
    follow('agent', options.agents),
    control.subscribe(subjects.beat, ({ payload }) =>
      quietly('a beat cannot be read', () => {
        const frame = wire.read(payload);
        if (frame.frame === 'beat') options.onBeat(frame.beat);
      }),
    ),
  ];
  return {
    announce: (kind, key, revision) =>
      quietly('a hint was not sent; the watches will tell', () => data.publish(subjects.event(kind), codec.encode([key, revision]))),
    beatNow,
    stop() {
      stopped = true;
      cancelBeat();
      for (const cancel of cancels) cancel();
    },
  };
}
