export {
  type Attached,
  type AttachOptions,
  type AttachOrder,
  type AttachTarget,
  attach,
  attachTarget,
  LONGEST_ATTACH_MS,
} from './attach.ts';
export { type DemoReport, demo } from './demo/demo.ts';
