/**
 * Lets `limit` tasks run at a time; the others wait their turn, first come, first served. The caller bounds how
 * many wait.
 */
export function createTurns(limit: number): <Result>(task: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running < limit) running++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      // The turn passes on directly, so that nobody who comes in between takes it.
      if (next) next();
      else running--;
    }
  };
}
