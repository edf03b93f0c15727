/** How long something that a test starts goes on: until the test is over, or all tests of its file. */
export type Lifetime = 'test' | 'file';

type Stop = () => Promise<void> | void;

const stops: Record<Lifetime, Stop[]> = { test: [], file: [] };

/**
 * Has something stopped when its time is over. Helpers call this instead of hooks at the top of their module, which
 * would serve one file only: files share the modules of their worker (`isolate: false` in vitest.config.ts).
 */
export function stopAfter(lifetime: Lifetime, stop: Stop): void {
  stops[lifetime].push(stop);
}

/**
 * Stops what is due in the order in which it was started, so that a server need not wait for an answer of who is there
 * only to be asked by it; each even if another fails. Rejects with the first failure.
 */
export async function stopAll(lifetime: Lifetime): Promise<void> {
  const failures: unknown[] = [];
  for (const stop of stops[lifetime].splice(0)) {
    try {
      await stop();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
