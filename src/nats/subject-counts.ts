import { type JetStream, unreadable } from './jet-stream.ts';

interface SubjectsInfo {
  readonly state: { readonly last_seq?: number; readonly subjects?: Readonly<Record<string, number>> };
  readonly total?: number;
  readonly offset?: number;
}
/** A list longer than this is refused by the server anyway; it comes in pages. */
const MOST_PAGES = 100;

/** Which subjects of a stream have records, and how many, through its leader. @throws NexaError `unavailable` */
export async function subjectCounts(
  js: JetStream,
  stream: string,
  filter: string,
  timeoutMs: number,
): Promise<ReadonlyMap<string, number>> {
  const untilMs = js.wire.clock.monotonicMs() + timeoutMs;
  const counts = new Map<string, number>();
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await js.api<SubjectsInfo>(
      `STREAM.INFO.${stream}`,
      { subjects_filter: filter, offset: counts.size },
      untilMs - js.wire.clock.monotonicMs(),
    );
    if (!answer.ok) throw unreadable(stream, answer.error);
    const entries = Object.entries(answer.value.state.subjects ?? {});
    for (const [subject, count] of entries) counts.set(subject, count);
    if (entries.length === 0 || counts.size >= (answer.value.total ?? 0)) break;
  }
  return counts;
}

/** What one answer of a stream's leader says of one subject, and how far that leader is. @throws NexaError `unavailable` */
export async function subjectState(
  js: JetStream,
  stream: string,
  subject: string,
  timeoutMs: number,
): Promise<{ readonly lastSequence: number; readonly present: boolean }> {
  const answer = await js.api<SubjectsInfo>(`STREAM.INFO.${stream}`, { subjects_filter: subject }, timeoutMs);
  if (!answer.ok) throw unreadable(stream, answer.error);
  const { last_seq = 0, subjects = {} } = answer.value.state;
  return { lastSequence: last_seq, present: Object.keys(subjects).length > 0 };
}
