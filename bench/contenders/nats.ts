import { connect, type NatsConnection } from 'nats';

/** At its fastest: by default it makes a stack trace for each request, in case that one fails. */
export const dialNats = (servers: string): Promise<NatsConnection> => connect({ servers, noAsyncTraces: true });
