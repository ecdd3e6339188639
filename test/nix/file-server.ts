import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Files over HTTP on loopback. */
export interface FileServer {
  readonly endpoint: string;
  /** Path of each request so far, as it was sent. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Serves contents by the path of their address; anything else is a 404. */
export async function serveFiles(files: ReadonlyMap<string, Uint8Array>): Promise<FileServer> {
  const requests: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    requests.push(url);
    const content = files.get(url);
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
