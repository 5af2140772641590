import { createServer, request, type Server } from 'node:http';

/**
 * What lies between the functions and the vendors: hears whatever is sent, byte for byte, and can hold an answer back, as a slow
 * network does. Its `between` goes into the options of a duty room.
 */
export class Wire {
  /** Path, headers and body of every request, in order. */
  readonly heard: string[] = [];
  /** Waited for after the vendor has answered and before the answer is passed on. */
  hold: (path: string) => Promise<void> = async () => {};
  readonly #server: Server;
  #to = new URL('http://127.0.0.1');

  constructor() {
    this.#server = createServer((incoming, answer) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => void chunks.push(chunk));
      incoming.on('end', () => {
        const body = Buffer.concat(chunks);
        this.heard.push(`${incoming.url} ${JSON.stringify(incoming.headers)} ${body.toString('utf8')}`);
        // The host stays: it is signed.
        const onward = request(
          {
            host: this.#to.hostname,
            port: this.#to.port,
            path: incoming.url,
            method: incoming.method,
            headers: incoming.headers,
          },
          (reply) => {
            const passOn = async (): Promise<void> => {
              await this.hold(incoming.url ?? '');
              answer.writeHead(reply.statusCode ?? 502, reply.headers);
              reply.pipe(answer);
            };
            void passOn();
          },
        );
        onward.on('error', () => answer.destroy());
        onward.end(body);
      });
    });
  }

  readonly between = async (vendorsUrl: string): Promise<string> => {
    this.#to = new URL(vendorsUrl);
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the wire has no port');
    return `http://127.0.0.1:${address.port}${this.#to.pathname}`;
  };

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
