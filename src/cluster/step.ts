/**
 * Every protocol of the cluster has this form: state and input in, state and effects out; no await, no clock, no I/O. So it can
 * be read, tested and simulated as a function.
 */
export type Step<State, Input, Effect> = (state: State, input: Input, nowMs: number) => readonly [State, readonly Effect[]];
