import { NexaError } from '../../errors.ts';
import type { Mail } from '../envelope.ts';
import { type LiveRef, ReplyRef } from '../live-ref.ts';
import type { Cell } from './cell.ts';

/** Past it the asker of the oldest one is left to its deadline. */
const MOST = 10_000;
/** Between two looks for those whose deadline has passed. */
const LOOK_EVERY = 1_000;

/**
 * The ways back that an incarnation took to answer later. When it ends, whoever waits at one that is still its own is told so at
 * once; one that was passed on is somebody else's to answer.
 */
export class HeldReplies {
  private readonly cell: Cell;
  private readonly held = new Map<HeldReply, number>();
  private taken = 0;

  constructor(cell: Cell) {
    this.cell = cell;
  }

  hold(mail: Mail): ReplyRef {
    const { system } = this.cell;
    if (mail.replyTo === undefined) return new ReplyRef(system, system.nobody, undefined, this.cell);
    if (++this.taken % LOOK_EVERY === 0) this.forgetExpired();
    const oldest = this.held.keys().next();
    if (this.held.size >= MOST && oldest.done !== true) this.held.delete(oldest.value);
    const reply: HeldReply = new HeldReply(system, mail.replyTo, undefined, this.cell);
    reply.release = () => this.held.delete(reply);
    this.held.set(reply, mail.deadlineMs);
    return reply;
  }

  /** Whether somebody still waits. */
  get owed(): boolean {
    this.forgetExpired();
    return this.held.size > 0;
  }

  end(): void {
    const { cell } = this;
    const nowMs = cell.system.clock.monotonicMs();
    for (const [{ address }, deadlineMs] of [...this.held]) {
      if (deadlineMs <= nowMs) continue;
      const error = new NexaError('crashed', 'it ended before it had answered', { where: cell.where });
      try {
        cell.system.reply(address, { ok: false, error });
      } catch (thrown) {
        cell.system.log.warn({ ...cell.where, error: thrown }, 'an answer could not be sent');
      }
    }
    this.held.clear();
  }

  private forgetExpired(): void {
    const nowMs = this.cell.system.clock.monotonicMs();
    for (const [reply, deadlineMs] of this.held) if (deadlineMs <= nowMs) this.held.delete(reply);
  }
}

/** A way back until it is answered, or leaves its holder. */
class HeldReply extends ReplyRef {
  release: () => void = () => {};

  override tell(reply: unknown): boolean {
    this.release();
    return super.tell(reply);
  }
  override refuse(error: NexaError): void {
    this.release();
    super.refuse(error);
  }
  override boundTo(binding: Cell | undefined): LiveRef {
    if (binding === this.binding) return this;
    this.release();
    return new ReplyRef(this.system, this.address, undefined, binding);
  }
  override toJSON(): string {
    this.release();
    return super.toJSON();
  }
}
