import { type Answer, repeated } from './bare.ts';

/** As {@link repeated}, and any refusal is thrown. For what may be done twice: it has a spawn id, names its agent, or only reads. */
export async function granted(ask: () => Promise<Answer>): Promise<Extract<Answer, { readonly ok: true }>> {
  const answer = await repeated(ask);
  if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer;
}
