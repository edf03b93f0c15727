/** The server's metrics at one moment. */
export interface Scrape {
  /** Sum of all samples of a metric whose labels hold what is wanted; 0 when there is none. */
  value(metric: string, labels?: Readonly<Record<string, string>>): number;
}

/** Reads `/metrics` in Prometheus' text format. */
export async function scrape(port: number): Promise<Scrape> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return {
    value(metric, labels = {}) {
      const wanted = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
      return lines
        .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
        .filter((line) => wanted.every((label) => line.includes(label)))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    },
  };
}
