export {
  type Attached,
  type AttachOptions,
  type AttachOrder,
  type AttachTarget,
  attach,
  attachTarget,
  LONGEST_ATTACH_MS,
} from './attach.ts';
export type { Mark } from './checkers/judge.ts';
export { type DemoReport, demo } from './demo/demo.ts';
export { type DrillOptions, type DrillReport, drill } from './drill.ts';
export type { Fault, Many, Target } from './fault.ts';
export type { Operation } from './history.ts';
export { type DrillRow, drills, type WorkloadRow, workloads } from './listed.ts';
export { faultText } from './report/fault-text.ts';
export { markdown as reportMarkdown } from './report/markdown.ts';
export type { Report } from './report/report.ts';
export { type DrillRequest, judgeFolder, reportFolder, runDrill } from './run-drill.ts';
export type { Progress as DrillProgress } from './runner/progress.ts';
export { type TierRow, tiers } from './tiers.ts';
export { type Workload, workload } from './workloads/workload.ts';
