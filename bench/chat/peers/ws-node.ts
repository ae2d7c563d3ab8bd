import { type WebSocket, WebSocketServer } from 'ws';
import { createPeer, listen } from './node-server.ts';

const sockets = new Set<WebSocket>();
const server = createPeer(Number(process.argv[2]), (frame) => {
  for (const socket of sockets) socket.send(frame);
});
const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 4_096 });
server.on('upgrade', (request, socket, head) =>
  upgrades.handleUpgrade(request, socket, head, (webSocket) => {
    sockets.add(webSocket);
    webSocket.on('close', () => sockets.delete(webSocket));
    webSocket.send('{"type":"hello","v":1}');
  }),
);
listen(server);
