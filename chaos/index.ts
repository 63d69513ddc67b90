export { type DemoReport, demo } from './demo/demo.ts';
