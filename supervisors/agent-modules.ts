/** Which files of a folder a node reads its agents from: for whoever puts such a folder together. */
export { modulesAt as agentModules } from '../src/agent/load.ts';
