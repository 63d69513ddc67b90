import { get } from 'node:http';
import { NexaError } from '../errors.ts';
import { LOOPBACK } from './config.ts';

const LONGEST_ANSWER = 4 * 1_048_576;

/**
 * One page of a server's monitor (`/healthz`, `/varz`, …) as parsed JSON, at most 4 MiB.
 * @throws NexaError `unavailable`: unreachable, late, too long, no JSON, or another status than 200 (the message quotes the answer).
 */
export function readMonitor(
  page: string,
  target: { readonly host?: string; readonly port: number } | { readonly socket: string },
  timeoutMs: number,
): Promise<unknown> {
  const at = 'socket' in target ? { socketPath: target.socket } : { host: target.host ?? LOOPBACK, port: target.port };
  const where = { server: 'socketPath' in at ? at.socketPath : `${at.host}:${at.port}`, page };
  return new Promise((resolve, reject) => {
    const fail = (message: string, cause?: unknown) => reject(new NexaError('unavailable', `${page}: ${message}`, { where, cause }));
    // No agent: a kept-alive connection would outlive the question.
    const request = get({ ...at, path: page, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > LONGEST_ANSWER) response.destroy(new Error('the answer is too long'));
      });
      response.on('error', (error) => fail(error.message, error));
      response.on('end', () => {
        if (response.statusCode !== 200) return fail(`${response.statusCode} ${body.slice(0, 200)}`);
        try {
          resolve(JSON.parse(body));
        } catch (cause) {
          fail('the answer is no JSON', cause);
        }
      });
    });
    request.on('error', (error) => fail(error.message, error));
  });
}
