import type { Inbound } from '../../../src/ports/transport.ts';
import type { WireScene } from './scene.ts';

const MOST_FRAMES = 2_000;
const MOST_BYTES = 16 * 1_048_576;

/** Frames of the cluster as they passed, the latest of them. */
export interface Spy {
  readonly heard: readonly Inbound[];
  /** What it heard so far, which it then forgets. */
  take(): readonly Inbound[];
  end(): void;
}

/** Listens to everything that a cluster says and is no record; keeps at most 2,000 frames of 16 MiB. */
export function spy({ link, subjects }: Pick<WireScene, 'link' | 'subjects'>, wanted: (subject: string) => boolean = () => true): Spy {
  let heard: Inbound[] = [];
  let bytes = 0;
  const end = link.transport.subscribe(subjects.all, (message) => {
    if (!wanted(message.subject)) return;
    // The payload is the connection's until this returns.
    heard.push({ ...message, payload: Uint8Array.from(message.payload) });
    bytes += message.payload.length;
    while (heard.length > MOST_FRAMES || bytes > MOST_BYTES) bytes -= heard.shift()?.payload.length ?? 0;
  });
  return {
    get heard() {
      return heard;
    },
    take: () => {
      const taken = heard;
      heard = [];
      bytes = 0;
      return taken;
    },
    end,
  };
}

/** What follows the cluster's prefix: `node`, `beat`, `agent`, … */
export const familyOf = ({ subjects }: Pick<WireScene, 'subjects'>, subject: string): string =>
  subject.slice(subjects.prefix.length + 1).split('.', 1)[0] ?? '';
