import { Buffer } from 'node:buffer';
import type { CellContext } from '../../actor/cell/cell-context.ts';
import type { Declarer, Reminders } from '../../cluster/reminders.ts';
import type { Kept } from '../../durable/kept.ts';
import { MESSAGE_BYTES, NAME_BYTES } from '../../durable/reminder.ts';
import { fixed, type Schedule } from '../../durable/schedule.ts';
import { NexaError, toNexaError } from '../../errors.ts';
import type { Codec } from '../../ports/codec.ts';
import type { AnyAgent } from '../define.ts';
import type { DueReminder } from '../outcome.ts';
import { type Binder, withBinder } from '../ref-to.ts';
import { validateCommand } from '../schema.ts';
import { TakenMail } from './taken-mail.ts';

/** The reminders of one incarnation, as its context shows them. */
export interface OwnReminders {
  readonly due: DueReminder | undefined;
  remind(name: string, when: Schedule, message: unknown): Promise<void>;
  forget(name: string): Promise<void>;
}

export function ownReminders(options: {
  readonly definition: AnyAgent;
  readonly context: CellContext;
  readonly reminders: Pick<Reminders, 'declare' | 'forget'>;
  readonly by: Declarer;
  readonly kept: () => Kept | undefined;
  readonly bind: Binder;
  readonly codec: Codec;
}): OwnReminders {
  const { definition, context, reminders, by, codec, bind } = options;
  const where = (name: unknown) => ({ agent: `${by.type}/${by.id}`, reminder: String(name).slice(0, NAME_BYTES) });
  /** One write at a time: a bound that is counted holds, and of two under one name the later counts. */
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = (write: () => Promise<void>): Promise<void> => {
    const writing = last.then(write, write);
    last = writing;
    return writing;
  };
  const written = (name: string, write: () => Promise<void>): Promise<void> => {
    const writing = (async () => {
      context.requireTurn();
      checkName(name);
      await write();
    })().catch((error) => {
      throw toNexaError(error, 'internal', where(name));
    });
    // Who does not wait for it does not end the node by that.
    writing.catch(() => undefined);
    return writing;
  };
  const checkName = (name: unknown): void => {
    const fits = typeof name === 'string' && name.isWellFormed() && name.length > 0 && Buffer.byteLength(name) <= NAME_BYTES;
    if (!fits) throw new NexaError('invalid-definition', `the name of a reminder has 1 to ${NAME_BYTES} bytes`, { where: where(name) });
  };
  /** Encoded as it was given: it is read again when it is due, perhaps by a later version of the type. */
  const storable = (name: string, message: unknown): Uint8Array => {
    const read = withBinder(bind, () => validateCommand(definition, message, { from: 'own' }));
    if (!read.ok) throw read.error;
    const { command, spec } = read.value;
    if (spec.kind === 'local') {
      throw new NexaError('invalid-message', `${by.type}/${command} is local: it cannot be stored`, {
        where: { ...where(name), command },
        fix: 'Declare it with internal() and a schema.',
      });
    }
    const encoded = codec.encode(message);
    if (encoded.byteLength <= MESSAGE_BYTES) return encoded;
    throw new NexaError(
      'payload-too-large',
      `the message of a reminder has ${encoded.byteLength} bytes, at most ${MESSAGE_BYTES} are kept`,
      {
        where: where(name),
        fix: 'Keep the rest in the state.',
      },
    );
  };

  return {
    get due() {
      const mail = context.envelope;
      if (!(mail instanceof TakenMail) || !('fired' in mail.source)) return undefined;
      const { name, dueAtMs, missed = 0 } = mail.source.fired;
      return { name, dueAtMs, missed };
    },
    remind: (name, when, message) =>
      written(name, () => {
        const schedule = fixed(when, context.clock.wallMs());
        const encoded = storable(name, message);
        // Said again after it has come: an instant does not come twice.
        if ('atMs' in when && options.kept()?.fired.get(name)?.dueAtMs === when.atMs) return Promise.resolve();
        return inOrder(() => reminders.declare(by, { name, schedule, message: encoded }));
      }),
    forget: (name) => written(name, () => inOrder(() => reminders.forget(by, name))),
  };
}
