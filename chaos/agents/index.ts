import type { AnyAgent } from 'nexa';
import { account } from './account.ts';
import { announcer } from './announcer.ts';
import { callee } from './callee.ts';
import { caller } from './caller.ts';
import { household } from './household.ts';
import { journal } from './journal.ts';
import { letterbox } from './letterbox.ts';
import { list } from './list.ts';
import { listener } from './listener.ts';
import { lock } from './lock.ts';
import { teller } from './teller.ts';
import { vault } from './vault.ts';

export { account, announcer, callee, caller, household, journal, letterbox, list, listener, lock, teller, vault };

/** What the workloads work on, besides the types that every node has; their names begin with `drill-`, so that those of users are free. */
export const DRILL_AGENTS: readonly AnyAgent[] = [
  account,
  announcer,
  callee,
  caller,
  household,
  journal,
  letterbox,
  list,
  listener,
  lock,
  teller,
  vault,
];
