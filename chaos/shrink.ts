import type { Fault } from './fault.ts';
import type { Plan } from './plan.ts';

/** Runs of a plan, each as long as the whole one: what is smaller after so many is small enough. */
const TRIES = 60;

export interface Shrunk {
  readonly plan: Plan;
  /** How often it was run. */
  readonly tries: number;
}

/**
 * A plan that fails, without the faults that it fails without: halves of the list are left out, then quarters, down to single ones; what is
 * together is tried apart. `fails` runs a plan; at most `tries` times. Names are drawn for each kind of fault by itself, so that the others meet
 * whom they met; where that is not so it need not fail any more, and the fault stays.
 */
export async function shrink(
  plan: Plan,
  fails: (plan: Plan) => Promise<boolean>,
  options: { readonly tries?: number } = {},
): Promise<Shrunk> {
  const most = options.tries ?? TRIES;
  let faults = plan.faults;
  let tries = 0;
  const still = async (fewer: readonly Fault[]): Promise<boolean> => {
    if (tries >= most) return false;
    tries++;
    if (!(await fails({ ...plan, faults: fewer }))) return false;
    faults = fewer;
    return true;
  };
  for (let size = Math.max(1, Math.floor(faults.length / 2)); tries < most; ) {
    let removed = false;
    for (let at = 0; at < faults.length && tries < most; )
      if (await still([...faults.slice(0, at), ...faults.slice(at + size)])) removed = true;
      else at += size;
    if (size === 1 && !removed) break;
    size = Math.max(1, Math.floor(size / 2));
  }
  for (let at = 0; at < faults.length && tries < most; ) {
    const fault = faults[at] as Fault;
    const fewer = fault.fault === 'together' ? alone(fault.faults) : [];
    let removed = false;
    for (const each of fewer) removed ||= await still([...faults.slice(0, at), each, ...faults.slice(at + 1)]);
    if (!removed) at++;
  }
  return { plan: { ...plan, faults }, tries };
}

/** Less than all of them: each by itself, and all but each. */
const alone = (faults: readonly Fault[]): readonly Fault[] =>
  faults.length < 2
    ? faults
    : [...faults, ...faults.map((_, index): Fault => ({ fault: 'together', faults: faults.filter((_fault, other) => other !== index) }))];
