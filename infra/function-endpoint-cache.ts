/**
 * Takes the place of `@aws-sdk/endpoint-cache` in the bundles. The DynamoDB client remembers discovered endpoints there, and discovers
 * none unless it is told to: a map does, and spares every function seven kilobytes of data structures.
 */
export class EndpointCache {
  readonly #known = new Map<string, { Address: string; Expires: number }[]>();

  getEndpoint(key: string): string | undefined {
    return this.get(key)?.[0]?.Address;
  }

  get(key: string): { Address: string; Expires: number }[] | undefined {
    const fresh = (this.#known.get(key) ?? []).filter(({ Expires }) => Date.now() < Expires);
    return fresh.length === 0 ? undefined : fresh;
  }

  set(key: string, endpoints: readonly { Address: string; CachePeriodInMinutes: number }[]): void {
    this.#known.set(
      key,
      endpoints.map(({ Address, CachePeriodInMinutes }) => ({
        Address,
        Expires: Date.now() + CachePeriodInMinutes * 60_000,
      })),
    );
  }

  delete(key: string): void {
    this.#known.delete(key);
  }

  has(key: string): boolean {
    return (this.#known.get(key)?.length ?? 0) > 0;
  }

  clear(): void {
    this.#known.clear();
  }
}
