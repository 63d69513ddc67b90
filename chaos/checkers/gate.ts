import type { Run } from '../run.ts';
import { epochs, type Stamped } from './epochs.ts';
import type { Verdict } from './verdict.ts';

/** What somebody received of a numbered activation of an agent, in the order of receiving. */
interface Received {
  readonly receiver: string;
  /** type/id@epoch */
  readonly sender: string;
}

/** What was sent by an activation, as its receivers saw it; who is no activation is left out. */
const sendsOf = (received: readonly Received[]): readonly Stamped[] =>
  received.flatMap(({ receiver, sender }): Stamped[] => {
    const at = sender.lastIndexOf('@');
    const epoch = Number(sender.slice(at + 1));
    return at < 0 || !Number.isSafeInteger(epoch) ? [] : [{ agent: sender.slice(0, at), epoch, log: receiver, what: 'a message' }];
  });

/** Links and processes that hold back what left its sender long ago, and hand it over when it is somebody else's. */
const HOLDS_BACK = new Set(['cut', 'link-down', 'loss', 'delay', 'slice', 'half-open', 'pause-node', 'pause-server', 'strand', 'cpu']);

/** Whether a receiver's order says when something was sent: not where anything between them may have been held back. */
export const showsSending = (acts: Run['acts']): boolean => !acts.some(({ act }) => HOLDS_BACK.has(act.act));

/**
 * C2, also of agents that store nothing: a receiver that has heard of one activation hears nothing of an older one any more, since that one's gate
 * closed before. Where messages are held back on their way ({@link showsSending}) it says nothing, and is not to be asked.
 */
export const gate = (received: readonly Received[]): Verdict => epochs(sendsOf(received));
