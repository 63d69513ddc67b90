import { NexaError } from '../errors.ts';
import { BackOff } from './back-off.ts';
import type { Found, JournalPlace } from './journal-place.ts';
import { encodeRecord, type JournalRecord } from './journal-record.ts';

/** Of one record: what a turn may store. */
export const RECORD_BYTES = 524_288;

export type Appended = { readonly stored: number; readonly bytes: number } | { readonly foreign: Found };

/**
 * Appends one record behind the last one known, or shows whose record is there instead. After an unknown outcome nothing else is
 * appended: this same record is repeated until it is acknowledged, found by its id, or a later record of somebody else is read.
 * @throws NexaError `fenced` when the activation is over; `payload-too-large`, `not-encodable`, `quota-exceeded`: nothing was stored.
 */
export async function append(place: JournalPlace, record: JournalRecord, expectedSequence: number): Promise<Appended> {
  const bytes = encodeRecord(record, place.access.codec);
  const { recordId } = record;
  if (bytes.byteLength > RECORD_BYTES)
    throw new NexaError('payload-too-large', `what the turn stores would take ${bytes.byteLength} bytes, one record has ${RECORD_BYTES}`, {
      where: { subject: place.subject },
      fix: 'Store less in one turn: put large content elsewhere and keep where it is.',
    });
  /** Made when it is needed: nearly never. */
  let backOff: BackOff | undefined;
  for (let tries = 0; ; tries++) {
    place.requireLife();
    try {
      const written = await place.stream.append(place.subject, bytes, { expectedSequence, recordId, ...place.within });
      if (written.written === 'yes') return { stored: written.revision, bytes: bytes.byteLength };
    } catch (refused) {
      // A full store refuses for good. After a doubtful try that says nothing: the first copy may still land, and is waited for.
      if (tries === 0) throw refused;
    }
    const found = await place.next(expectedSequence + 1);
    if (found?.record.recordId === recordId) return { stored: found.sequence, bytes: found.bytes };
    // Only a later record that was read proves the loss; a read that shows none is late, and the same append is repeated.
    if (found !== undefined) return { foreign: found };
    backOff ??= new BackOff(place.access);
    await backOff.pause();
  }
}
