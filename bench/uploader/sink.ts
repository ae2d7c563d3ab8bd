import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// Takes uploads and keeps nothing: our API with 10 MiB parts, and tus 1.0.0 (https://tus.io/protocols/resumable-upload). Prints its
// address, then one line for each connection's end that the bench does not need.
const partBytes = 10 * 1_024 * 1_024;
let sizeBytes = 0;
let tusOffset = 0;
let url = '';

const partsOf = (numbers: readonly number[]) =>
  numbers.map((part_number) => {
    const size = Math.min(partBytes, sizeBytes - (part_number - 1) * partBytes);
    return {
      part_number,
      url: `${url}/part/${part_number}`,
      headers: { 'content-length': String(size) },
      size_bytes: size,
      expires_at: '2100-01-01T00:00:00Z',
    };
  });

const upload = () => ({
  id: 'upl_bench',
  video_id: 'vid_bench',
  state: 'open',
  size_bytes: sizeBytes,
  part_size_bytes: partBytes,
  part_count: Math.ceil(sizeBytes / partBytes),
});

const server = createServer((request, response) => {
  const path = request.url ?? '';
  const method = request.method ?? '';
  if (path.startsWith('/v1/')) {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      const body = text === '' ? {} : JSON.parse(text);
      if (path.endsWith('/uploads')) sizeBytes = body.size_bytes;
      const answer = path.endsWith('/parts')
        ? { parts: partsOf(body.part_numbers ?? []) }
        : { ...upload(), parts: partsOf([1, 2, 3]) };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
    return;
  }
  let received = 0;
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  request.on('end', () => {
    if (path.startsWith('/tus')) {
      response.setHeader('tus-resumable', '1.0.0');
      if (method === 'POST') {
        tusOffset = 0;
        response.writeHead(201, { location: `${url}/tus/1` }).end();
        return;
      }
      tusOffset += received;
      response.writeHead(204, { 'upload-offset': String(tusOffset) }).end();
      return;
    }
    response.setHeader('etag', '"00000000000000000000000000000000"').end();
  });
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.send?.(url);
});
