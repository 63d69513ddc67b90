import { type JetStream, unreadable } from './jet-stream.ts';

interface SubjectsInfo {
  readonly state: { readonly subjects?: Readonly<Record<string, number>> };
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
