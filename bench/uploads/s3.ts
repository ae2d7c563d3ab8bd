import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cleanup } from '../cleanup.ts';
import { etagOf, film, partNumbers } from './workload.ts';

const document = (name: string, inside: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</${name}>`;

const listed = document(
  'ListPartsResult',
  `${partNumbers
    .map(
      (number) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>"${etagOf(number)}"</ETag><Size>${film.partBytes}</Size></Part>`,
    )
    .join('')}<IsTruncated>false</IsTruncated>`,
);

/**
 * A stand-in for S3 that keeps nothing: every upload begins, has all parts of the film, can be joined, and is then as large as it
 * should be. It checks no signature, so that what is measured is the Worker. Runs in this process. @returns its address.
 */
export async function startStandInS3(cleanup: Cleanup): Promise<string> {
  let begun = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      const query = new URL(request.url ?? '/', 'http://s3').searchParams;
      response.setHeader('content-type', 'application/xml');
      const uploadId = query.get('uploadId');
      if (request.method === 'HEAD')
        response
          .setHeader('content-length', film.sizeBytes)
          .setHeader('etag', `"${etagOf(0)}-${film.partCount}"`)
          .end();
      else if (request.method === 'POST' && query.has('uploads')) {
        begun += 1;
        response.end(document('InitiateMultipartUploadResult', `<UploadId>bench-${begun}</UploadId>`));
      } else if (request.method === 'POST' && uploadId !== null)
        response.end(
          document('CompleteMultipartUploadResult', `<ETag>"${etagOf(0)}-${film.partCount}"</ETag>`),
        );
      else if (request.method === 'GET' && uploadId !== null) response.end(listed);
      else
        response
          .writeHead(501)
          .end('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NotImplemented</Code></Error>');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
