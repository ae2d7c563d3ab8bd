import { Server } from 'socket.io';
import { createPeer, listen } from './node-server.ts';

// As its documentation shows it: one `emit` to all, an object that it encodes once.
const server = createPeer(Number(process.argv[2]), (frame) => io.emit('batch', JSON.parse(frame)));
const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
listen(server);
