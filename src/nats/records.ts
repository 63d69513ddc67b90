import { errors, type JetStream, unreadable } from './jet-stream.ts';

export interface StoredRecord {
  readonly sequence: number;
  readonly value: Uint8Array;
  /** As they travelled; empty without. */
  readonly headers: string;
}

interface MessageGet {
  readonly message: { readonly seq: number; readonly data?: string; readonly hdrs?: string };
}

/** One record through the stream's leader: the last of a subject, or the first at or after a sequence. @throws NexaError `unavailable` */
export async function readRecord(
  js: JetStream,
  stream: string,
  wanted: { readonly last_by_subj: string } | { readonly next_by_subj: string; readonly seq: number },
  timeoutMs: number,
): Promise<StoredRecord | undefined> {
  const answer = await js.api<MessageGet>(`STREAM.MSG.GET.${stream}`, wanted, timeoutMs);
  if (!answer.ok) {
    if (answer.error?.errCode === errors.noMessageFound) return undefined;
    throw unreadable(stream, answer.error);
  }
  const { seq, data, hdrs } = answer.value.message;
  return {
    sequence: seq,
    value: new Uint8Array(Buffer.from(data ?? '', 'base64')),
    headers: Buffer.from(hdrs ?? '', 'base64').toString('latin1'),
  };
}
