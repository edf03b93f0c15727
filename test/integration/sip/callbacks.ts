import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A customer's server, which takes status callbacks. */
export interface Callbacks {
  readonly url: string;
  /** What was told of a session's channel: statuses in order, with the error code where there is one. */
  of(session: string): readonly string[];
}

export async function startCallbacks(): Promise<Callbacks> {
  const told: URLSearchParams[] = [];
  const server = createServer(async (request, response) => {
    told.push(new URLSearchParams(await text(request)));
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    of: (session) =>
      told
        .filter((each) => each.get('SessionUUID') === session)
        .map((each) => `${each.get('ChannelStatus')} ${each.get('ChannelErrorCode')}`.trim()),
  };
}
