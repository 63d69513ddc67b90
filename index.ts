/// <reference lib="esnext.disposable" preserve="true" />
// The front door: what a program that depends on `nexa` may use. What is not built yet is not here.

export { counter, counterProtocol, echo, echoProtocol, processProtocol, register, registerProtocol } from './actors/builtin/index.ts';
export type { Address, NodeId } from './src/actor/address.ts';
export { type Behavior, type Next, receive, stopped, unhandled } from './src/actor/behavior.ts';
export type { BaseContext, Context } from './src/actor/context.ts';
export type { Envelope } from './src/actor/envelope.ts';
export type { DeadLetterReason, EventStream, RuntimeEvent } from './src/actor/events.ts';
export type { ItemOf, Message, ReplyOf, Request, RequestsOf, StreamRequest, StreamsOf, TypeOf } from './src/actor/message.ts';
export type { MailboxOptions, Props } from './src/actor/props.ts';
export {
  type OwnReceptionist,
  type Receptionist,
  type RegisterOptions,
  type Registration,
  type Routees,
  type Service,
  type ServiceFilter,
  type ServiceKey,
  serviceKey,
} from './src/actor/receptionist.ts';
export type { Accepts, ActorRef, AnyRef, AskOptions, Cancel, ReplyTo, StreamOptions } from './src/actor/ref.ts';
export { type ConsistentHashOptions, consistentHash } from './src/actor/routing/consistent-hash.ts';
export { type LatencyAwareOptions, latencyAware } from './src/actor/routing/latency-aware.ts';
export { leastLoaded } from './src/actor/routing/least-loaded.ts';
export { random } from './src/actor/routing/random.ts';
export { roundRobin } from './src/actor/routing/round-robin.ts';
export { type Router, type RouterOptions, type RouterParent, router } from './src/actor/routing/router.ts';
export { type Candidate, type Routing, type RoutingSpec, routing } from './src/actor/routing/routing.ts';
export type { Outcome, Signal, Terminated } from './src/actor/signal.ts';
export { allForOne, type Directive, oneForOne, restForOne, type Strategy } from './src/actor/strategy.ts';
export type { ActorSystem } from './src/actor/system.ts';
export type { TellDurablyOptions } from './src/actor/tell-durably.ts';
export type { OwnTopic, Publisher, SubscriptionOptions, Topic } from './src/actor/topic.ts';
export { actorSystem } from './src/actor-system.ts';
export type { Agents, AnyAgentRef, Spawned, SpawnOptions } from './src/agent/agents.ts';
export { defineProtocol } from './src/agent/check.ts';
export { command, internal, local, streaming } from './src/agent/command.ts';
export { type AgentDefinition, type AgentHooks, type AgentOptions, type AnyAgent, defineAgent } from './src/agent/define.ts';
export { defineEventSourced } from './src/agent/define-event-sourced.ts';
export type { EventOf, Events } from './src/agent/event-sourcing.ts';
export { type AgentContext, type DueReminder, type EventOutcome, refusedBy, type StateOutcome } from './src/agent/outcome.ts';
export type {
  AgentRef,
  CommandKind,
  CommandOptions,
  CommandSpec,
  Commands,
  OwnMessage,
  Protocol,
  PublicMessage,
  Refusals,
  Shape,
  StorableMessage,
} from './src/agent/protocol.ts';
export { refTo } from './src/agent/ref-to.ts';
export { replicaState } from './src/agent/replica-state.ts';
export { type Client, type ConnectOptions, connect } from './src/client.ts';
export type { Member } from './src/cluster/member.ts';
export {
  type ReplicatedMap,
  type ReplicatedMapType,
  type ReplicatedRecordType,
  replicatedMap,
  replicatedRecord,
} from './src/durable/replica/composed.ts';
export { type GossipEffect, type GossipInput, type GossipMessage, type GossipState, gossip } from './src/durable/replica/gossip.ts';
export { type LwwRegister, type LwwRegisterType, lwwRegister } from './src/durable/replica/lww-register.ts';
export { type OrSet, type OrSetDigest, type OrSetType, orSet } from './src/durable/replica/or-set.ts';
export { type PnCounter, type PnCounterType, pnCounter } from './src/durable/replica/pn-counter.ts';
export type { Replicated } from './src/durable/replica/replicated.ts';
export { compareStamps, nextStamp, type Stamp } from './src/durable/replica/stamp.ts';
export type { Schedule } from './src/durable/schedule.ts';
export type { StoredEvent } from './src/durable/turn.ts';
export type { ClientReceptionist, ListedService } from './src/edge/client-receptionist.ts';
export type { ClientTopic } from './src/edge/client-topic.ts';
export { type ErrorCategory, type ErrorCode, type ErrorData, NexaError, Refused } from './src/errors.ts';
export type { Clock } from './src/ports/clock.ts';
export type { Logger } from './src/ports/logger.ts';
export type { Random } from './src/ports/random.ts';
export { defineConfig, type NexaConfig } from './supervisors/config-schema.ts';
export { startNode } from './supervisors/node.ts';
export type { NexaNode, NodeOptions, NodeState } from './supervisors/node-contract.ts';
export type { ServiceOptions } from './supervisors/service-check.ts';
