import { NexaError, toNexaError } from '../errors.ts';
import { createCodec } from './codec.ts';
import type { Frame, FrameWriter } from './frame.ts';
import { addressForms, misshapen, natural, positive, text } from './frame-shapes.ts';
import type { Beat } from './members.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import type { Peer } from './peer.ts';
import { validNode } from './subject.ts';
import { wire1 } from './wire-1.ts';
import { wire2 } from './wire-2.ts';

/** Version, kind, node and incarnation: what every frame begins with. */
const HEAD = 4;
const LAYOUTS = { 1: wire1, 2: wire2 } as const;

/** Writes and reads the frames of one node, in the versions that it advertises. Fixed positions, no names: half the bytes of a map. */
export interface Wire {
  /**
   * The writer of the highest version that this node has in common with one that reads these; of its oldest as long as they are
   * not known. Undefined: there is none (C9).
   */
  speaks(theirs: readonly number[] | undefined): FrameWriter | undefined;
  /** Of the oldest version, which every member reads. */
  beat(beat: Beat): Uint8Array;
  /** @throws NexaError `unknown-version`, `invalid-message`. */
  read(payload: Uint8Array): Frame;
}

/** @throws NexaError `unknown-version` for a version that this release does not have. */
export function createWire(self: Peer, versions: readonly number[]): Wire {
  const codec = createCodec();
  const fields = new MsgpackReader((address) => address);
  const forms = addressForms();
  const layouts = [...versions]
    .sort((a, b) => b - a)
    .map((version) => {
      const layout = LAYOUTS[version as keyof typeof LAYOUTS];
      if (layout === undefined) throw new NexaError('unknown-version', `this release has no wire version ${version}`);
      return layout(self, codec, forms);
    });
  const oldest = layouts.at(-1)?.writer;
  if (oldest === undefined) throw new NexaError('unknown-version', 'a node without any wire version');

  return {
    speaks: (theirs) => (theirs === undefined ? oldest : layouts.find(({ writer }) => theirs.includes(writer.version))?.writer),
    beat: oldest.beat,
    read: (payload) => {
      const version = versionOf(payload);
      const layout = layouts.find(({ writer }) => writer.version === version);
      if (layout === undefined) throw unknownVersion(`a frame of wire version ${version ?? 'unknown'}`, versions);
      try {
        fields.begin(payload);
        const left = fields.list() - HEAD;
        if (left < 0) throw misshapen('a frame');
        fields.next();
        const kind = natural(fields.next());
        const sender = { node: validNode(text(fields.next(), 64)), incarnation: positive(fields.next()) };
        const frame = layout.read(kind, fields, left, sender);
        if (frame === undefined) throw misshapen('a kind');
        fields.finish();
        return frame;
      } catch (error) {
        const known = toNexaError(error, 'invalid-message');
        throw known.code === 'invalid-message' ? known : new NexaError('invalid-message', known.message, { cause: known });
      }
    },
  };
}

export const unknownVersion = (what: string, versions: readonly number[]): NexaError =>
  new NexaError('unknown-version', `${what}; this node has ${versions.join(' and ')}`, {
    fix: 'Upgrade the older node; neighbouring versions work together.',
  });

/** Of an array whose first item is a small number; read before the rest, which a later version may write differently. */
function versionOf(payload: Uint8Array): number | undefined {
  const head = payload[0] ?? 0;
  const version = payload[head === 0xdc ? 3 : 1] ?? 0xff;
  return (head & 0xf0) === 0x90 || head === 0xdc ? (version < 0x80 ? version : undefined) : undefined;
}
