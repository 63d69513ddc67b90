import type { NatsConnection } from 'nats';
import { peer } from '../suite/home.ts';

const { connect } = peer('nats') as { connect(options: object): Promise<NatsConnection> };
/** At its fastest: by default it makes a stack trace for each request, in case that one fails. */
export const dialNats = (servers: string): Promise<NatsConnection> => connect({ servers, noAsyncTraces: true });
