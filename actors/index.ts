export * from './builtin/index.ts';
export { monitor } from './monitor/monitor.ts';
export type { Lag, MonitorEvent, MonitorMessage, PeerTraffic, ProcessLoad, Sample, TypeSample } from './monitor/protocol.ts';
export { nodeActor } from './node/node.ts';
export type { NodeFacts, NodeInspection, NodeMessage, NodeRow, NodeStatus, NodeTree, Subsystem, SubsystemState } from './node/protocol.ts';
export type { AgentInspection, AgentOnNode, AgentWhy, RegistryMessage, TypeRow } from './registry/protocol.ts';
export { registry } from './registry/registry.ts';
