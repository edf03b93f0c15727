import { expect, test } from 'vitest';
import { boundedResolver } from '#callbacks/lookup.js';
import { settle } from '../support/virtual-time.js';

const FOUND = [{ address: '192.0.2.1', family: 4 }];

/** A name server whose answers come when the test lets them. */
class NameServer {
  readonly asked: string[] = [];
  readonly #answers = new Map<string, (failed: boolean) => void>();

  readonly lookUp = (name: string): Promise<typeof FOUND> => {
    this.asked.push(name);
    return new Promise((resolve, reject) => {
      this.#answers.set(name, (failed) => (failed ? reject(new Error(`no ${name}`)) : resolve(FOUND)));
    });
  };

  async answer(name: string, failed = false): Promise<void> {
    this.#answers.get(name)!(failed);
    await settle();
  }
}

test('a name that many connections ask for at a time is looked up once, and later anew', async () => {
  const server = new NameServer();
  const resolve = boundedResolver(server.lookUp);
  const both = Promise.all([resolve('a.example'), resolve('a.example')]);
  expect(server.asked).toEqual(['a.example']);
  await server.answer('a.example');
  expect(await both).toEqual([FOUND, FOUND]);
  void resolve('a.example');
  expect(server.asked).toEqual(['a.example', 'a.example']);
});

test('three names are looked up at a time; further ones follow in turn, also after a failure', async () => {
  const server = new NameServer();
  const resolve = boundedResolver(server.lookUp);
  const failed: string[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) resolve(name).catch(() => failed.push(name));
  expect(server.asked).toEqual(['a', 'b', 'c']);
  await server.answer('b', true);
  expect(server.asked).toEqual(['a', 'b', 'c', 'd']);
  await server.answer('a');
  expect(server.asked).toEqual(['a', 'b', 'c', 'd', 'e']);
  for (const name of ['c', 'd', 'e']) await server.answer(name);
  expect(failed).toEqual(['b']);
  for (const name of ['f', 'g', 'h', 'i']) void resolve(name);
  expect(server.asked.slice(5)).toEqual(['f', 'g', 'h']);
});

test('past a thousand names that wait, one more fails at once as not resolved', async () => {
  const resolve = boundedResolver(() => new Promise(() => {}));
  for (let n = 0; n < 1_003; n++) void resolve(`host${n}.example`);
  await expect(resolve('one-more.example')).rejects.toMatchObject({ code: 'EAI_AGAIN' });
});
