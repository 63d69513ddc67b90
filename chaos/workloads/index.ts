import { bank } from './bank.ts';
import { churn } from './churn.ts';
import { counter } from './counter.ts';
import { echo } from './echo.ts';
import { letters } from './letters.ts';
import { journal, list } from './list.ts';
import { lock } from './lock.ts';
import { register } from './register.ts';
import { topics } from './topics.ts';
import type { WorkKind } from './work.ts';

/** By name. */
export const WORKLOADS: Readonly<Record<string, WorkKind>> = Object.fromEntries(
  [register, counter, list, journal, letters, bank, lock, churn, echo, topics].map((kind) => [kind.name, kind]),
);
