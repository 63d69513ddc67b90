import type { NodeId } from '../actor/address.ts';
import type { Cancel } from '../actor/ref.ts';
import { NexaError } from '../errors.ts';
import { silenceMs } from './config.ts';
import type { MemberStore } from './join.ts';
import { decodeMember, type MemberRecord } from './member.ts';

/** A list that lags may show an old record and then the next one: that much is no sign of life. */
const SIGNS_OF_LIFE = 2;

/**
 * Refuses who could speak with nobody there, before it is a member (C9). Only a member that goes on renewing counts: the record of
 * one that died with all the others must not keep a later release out. A courtesy: what slips through is refused message by message.
 * @throws NexaError `unknown-version`, definite, with the versions of both.
 */
export function requireCommonWire(store: MemberStore, self: NodeId, wireVersions: readonly number[]): Promise<void> {
  const { members, codec, clock, times } = store;
  const strangers = new Map<string, { readonly revision: number; readonly signs: number }>();
  return new Promise((resolve, reject) => {
    const cancels: Cancel[] = [];
    const end = (settle: () => void): void => {
      for (const cancel of cancels.splice(0)) cancel();
      settle();
    };
    const seen = (key: string, value: Uint8Array, revision: number): void => {
      const record = readable(() => decodeMember(value, codec, key));
      const strange = record !== undefined && record.state !== 'gone' && !record.wireVersions.some((each) => wireVersions.includes(each));
      if (key === self || !strange) return void strangers.delete(key);
      const before = strangers.get(key);
      const signs = before === undefined ? 0 : before.signs + Number(revision > before.revision);
      strangers.set(key, { revision, signs });
      if (signs >= SIGNS_OF_LIFE) end(() => reject(unknownHere(self, wireVersions, key, record)));
    };
    /** Everything that is there was shown, or nothing will be: whoever is strange has so long to show that it lives. */
    const shown = (): void => {
      if (strangers.size === 0) return end(resolve);
      cancels.push(clock.after(silenceMs(times), () => end(resolve)));
    };
    const late = clock.after(times.storeMs, shown);
    cancels.push(
      late,
      members.watch('', (change) => {
        if (change.kind === 'put') seen(change.key, change.value, change.revision);
        else if (change.kind === 'delete') strangers.delete(change.key);
        else if (change.kind === 'live') {
          late();
          shown();
        }
      }),
    );
  });
}

const unknownHere = (self: NodeId, own: readonly number[], node: NodeId, theirs: MemberRecord): NexaError =>
  new NexaError('unknown-version', `this node speaks wire ${own.join(' and ')}, and ${node} speaks ${theirs.wireVersions.join(' and ')}`, {
    where: { node: self, wire: own.join(' '), other: node, otherWire: theirs.wireVersions.join(' '), otherVersion: theirs.version },
    fix: 'Update one release at a time: neighbouring ones have a wire version in common.',
    definite: true,
  });

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
