/** Counts by name for `countersign carriers`; past a bound of names, under `other`. */
export interface Counts {
  add(name: string): void;
  readonly all: Readonly<Record<string, number>>;
}

const MAX_NAMES = 100;

export function createCounts(): Counts {
  const counts = new Map<string, number>();
  return {
    add(name) {
      const key = counts.has(name) || counts.size < MAX_NAMES ? name : 'other';
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    get all() {
      return Object.fromEntries(counts);
    },
  };
}
