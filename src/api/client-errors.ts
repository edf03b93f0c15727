import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Watches the requests of each connection, so that bytes which are no HTTP are refused in their turn: answers to
 * pipelined requests come in the order of the requests (RFC 9112 §9.3.2), and a refusal ahead of them would be
 * taken for the answer to a create that is being committed.
 * @returns runs its task when every request of the connection that had fully arrived is answered; once for a
 * connection, and never when that is lost first
 */
export function watchConnections(server: Server): (socket: Socket, task: () => void) => void {
  const open = new WeakMap<Socket, Map<ServerResponse, IncomingMessage>>();
  const refused = new WeakSet<Socket>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    let answers = open.get(socket);
    if (!answers) {
      answers = new Map();
      open.set(socket, answers);
    }
    answers.set(response, request);
    response.once('close', () => answers.delete(response));
  });
  return (socket, task) => {
    // Whatever follows the first bad byte is bad too.
    if (refused.has(socket)) return;
    refused.add(socket);
    // A request whose body is what cannot be read is never carried out: the refusal is its answer.
    const pending = [...(open.get(socket) ?? [])].filter(([, request]) => request.complete);
    let left = pending.length;
    if (left === 0) return task();
    for (const [response] of pending) {
      response.once('close', () => {
        left--;
        if (left === 0 && response.writableFinished) task();
      });
    }
  };
}
