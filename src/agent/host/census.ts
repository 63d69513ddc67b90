import type { Cell } from '../../actor/cell/cell.ts';
import type { AgentHere, Crash, RunningAgent, TypeUsage } from '../../cluster/hosting.ts';
import { agentKey } from '../../cluster/subject.ts';
import type { NexaError } from '../../errors.ts';
import { type AnyAgent, implementationOf } from '../define.ts';
import type { Implementation } from '../implementation.ts';
import { type Meter, TypeMeter } from './meter.ts';

/** Agents whose last crash is remembered after they left; the one that crashed longest ago is forgotten first. */
const CRASHES = 1_000;
const MESSAGE = 500;
const CHILDREN = 50;

/** One activation, as it is counted. */
export interface Counted {
  readonly type: string;
  readonly id: string;
  readonly epoch: number;
  readonly cell: Cell | undefined;
  readonly meter: Meter;
}

/** Who runs on this node and what it costs; who failed here, and why. */
export class Census {
  private readonly definitions: ReadonlyMap<string, AnyAgent>;
  /** By {@link agentKey}. */
  private readonly running: ReadonlyMap<string, Counted>;
  private readonly types = new Map<string, TypeMeter>();
  private readonly crashes = new Map<string, Crash>();

  constructor(definitions: ReadonlyMap<string, AnyAgent>, running: ReadonlyMap<string, Counted>) {
    this.definitions = definitions;
    this.running = running;
  }

  meterOf(type: string): TypeMeter {
    let meter = this.types.get(type);
    if (meter === undefined) {
      meter = new TypeMeter();
      this.types.set(type, meter);
    }
    return meter;
  }

  crashed(type: string, id: string, error: NexaError, atMs: number): void {
    const key = agentKey(type, id);
    this.meterOf(type).failures++;
    this.crashes.delete(key);
    this.crashes.set(key, crash(error, atMs));
    const oldest = this.crashes.keys().next();
    if (this.crashes.size > CRASHES && oldest.done !== true) this.crashes.delete(oldest.value);
  }

  usage(): Readonly<Record<string, TypeUsage>> {
    const sums = new Map<string, Record<'agents' | 'mailbox' | 'mailboxBytes' | 'stateBytes' | 'restarts', number>>();
    for (const { type, cell, meter } of this.running.values()) {
      const sum = sums.get(type) ?? { agents: 0, mailbox: 0, mailboxBytes: 0, stateBytes: 0, restarts: 0 };
      sum.agents++;
      sum.mailbox += (cell?.mailbox.size ?? 0) + (cell?.mailbox.stashed ?? 0);
      sum.mailboxBytes += cell?.mailbox.sizeBytes ?? 0;
      sum.stateBytes += meter.stateBytes;
      sum.restarts += cell?.restarts ?? 0;
      sums.set(type, sum);
    }
    const none = { agents: 0, mailbox: 0, mailboxBytes: 0, stateBytes: 0, restarts: 0 };
    return Object.fromEntries(
      [...this.types].map(([type, { handled, failures, busyMs, took }]) => {
        const sum = sums.get(type) ?? none;
        const { limit, limitBytes, stateBytes } = this.limitsOf(type);
        const limits = {
          mailboxLimit: sum.agents * limit,
          mailboxLimitBytes: sum.agents * limitBytes,
          stateLimitBytes: sum.agents * stateBytes,
        };
        return [type, { ...sum, ...limits, handled, failures, busyMs, took: [...took] }];
      }),
    );
  }

  look(type: string, id: string): AgentHere {
    const key = agentKey(type, id);
    const counted = this.running.get(key);
    const remembered = this.crashes.get(key) ?? null;
    if (counted === undefined) return { running: null, lastCrash: remembered };
    // A failure is remembered when its restart begins; until then it is the cell's.
    const { cell } = counted;
    const { lastError, failedAtMs = 0 } = cell?.crashes ?? {};
    const lastCrash = lastError === undefined ? remembered : crash(lastError, failedAtMs);
    return { running: this.viewOf(counted), lastCrash };
  }

  private viewOf({ type, epoch, cell, meter }: Counted): RunningAgent {
    const { limit, limitBytes, stateBytes, handlerMs } = this.limitsOf(type);
    const children = cell?.children === undefined ? [] : [...cell.children.keys()];
    return {
      state: cell?.state ?? 'starting',
      epoch,
      version: this.definitions.get(type)?.version ?? 0,
      mailbox: (cell?.mailbox.size ?? 0) + (cell?.mailbox.stashed ?? 0),
      mailboxBytes: cell?.mailbox.sizeBytes ?? 0,
      mailboxLimit: limit,
      mailboxLimitBytes: limitBytes,
      stateBytes: meter.stateBytes,
      stateLimitBytes: stateBytes,
      restarts: cell?.restarts ?? 0,
      handled: meter.handled,
      busyMs: Math.round(meter.busyMs),
      slow: cell?.system.overtime.turnsOf(cell) ?? 0,
      handlerLimitMs: handlerMs,
      timers: cell?.context?.timerCount ?? 0,
      children: children.slice(0, CHILDREN),
      moreChildren: Math.max(0, children.length - CHILDREN),
    };
  }
  private limitsOf(type: string): Pick<Implementation['limits'], 'limit' | 'limitBytes' | 'stateBytes' | 'handlerMs'> {
    const definition = this.definitions.get(type);
    return definition === undefined ? { limit: 0, limitBytes: 0, stateBytes: 0, handlerMs: 0 } : implementationOf(definition).limits;
  }
}

const crash = ({ code, message }: NexaError, atMs: number): Crash => ({ code, message: message.slice(0, MESSAGE).toWellFormed(), atMs });
