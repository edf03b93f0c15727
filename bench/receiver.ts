import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The customer's side of the callbacks, a process of its own: answers each with 200 at once. */
const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => response.writeHead(200, { 'Content-Length': 0 }).end());
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
process.once('disconnect', () => process.exit());
