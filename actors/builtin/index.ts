import type { AnyAgent } from '../../src/agent/define.ts';
import { counter } from './counter/counter.ts';
import { echo } from './echo/echo.ts';
import { register } from './register/register.ts';

export { counter } from './counter/counter.ts';
export { counterProtocol } from './counter/protocol.ts';
export { echo } from './echo/echo.ts';
export { echoProtocol } from './echo/protocol.ts';
export { processAgent, processLabels } from './process/process.ts';
export { processProtocol } from './process/protocol.ts';
export type { OutputLine, ProcessEnd, ProcessOutput, ProcessRunner, RunningProcess, StartProcess } from './process/runner.ts';
export { registerProtocol } from './register/protocol.ts';
export { register } from './register/register.ts';

/** The agent types that every node offers; `process` only one whose configuration names a program. Defined with the public API only. */
export const builtins: readonly AnyAgent[] = [echo, counter, register];
