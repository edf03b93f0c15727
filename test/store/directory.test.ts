import { describe, expect, it } from 'vitest';
import { Directory } from '#store/directory.js';
import { openMemoryStore } from '#store/memory/store.js';
import { tokenPlace } from '#verify/keyring.js';
import type { AccountId } from '#verify/model.js';
import { NOW, seed } from '../support/rows.js';
import { VirtualEnvironment } from '../support/virtual-time.js';

async function open() {
  const environment = new VirtualEnvironment({ start: NOW });
  const store = openMemoryStore({ environment });
  const fixture = await seed(store);
  let reads = 0;
  const read = {
    ...store.read,
    account: (authId: AccountId) => {
      reads++;
      return store.read.account(authId);
    },
  };
  const directory = new Directory(read, () => fixture.keyring, environment);
  return { environment, store, fixture, directory, reads: () => reads };
}

describe('the directory', () => {
  it('reads an account once for many callers and shows its opened token', async () => {
    const { directory, fixture, reads } = await open();
    const found = await Promise.all(Array.from({ length: 10 }, () => directory.account(fixture.account)));
    expect(found.map((each) => each?.tokens)).toEqual(Array(10).fill([fixture.token]));
    expect(reads()).toBe(1);
  });

  it('sees what another process changed within a second', async () => {
    const { directory, fixture, environment, store } = await open();
    await directory.account(fixture.account);
    const changes = { enabled: false };
    await store.submit({ type: 'update-account', now: NOW, authId: fixture.account, changes });
    await environment.advance(1_000);
    expect((await directory.account(fixture.account))?.account.enabled).toBe(false);
  });

  it('shows the token before a rotation until its time is over', async () => {
    const { directory, fixture, environment, store } = await open();
    const seal = (token: string) =>
      fixture.keyring.seal(tokenPlace(fixture.account), token, environment.randomBytes(12));
    const changes = {
      token: seal('new'),
      previousToken: seal('old'),
      previousTokenUntil: NOW + 60_000,
    };
    await store.submit({ type: 'update-account', now: NOW, authId: fixture.account, changes });
    expect((await directory.account(fixture.account))?.tokens).toEqual(['new', 'old']);
    await environment.advance(61_000);
    expect((await directory.account(fixture.account))?.tokens).toEqual(['new']);
  });

  it('asks again after a read that failed, and forgets everything when told to', async () => {
    const { directory, fixture, store, reads } = await open();
    const broken = new Directory(
      { ...store.read, account: () => Promise.reject(new Error('away')) },
      () => fixture.keyring,
      new VirtualEnvironment(),
    );
    await expect(broken.account(fixture.account)).rejects.toThrow('away');
    await expect(broken.account(fixture.account)).rejects.toThrow('away');
    await directory.account(fixture.account);
    directory.clear();
    await directory.account(fixture.account);
    expect(reads()).toBe(2);
    expect(await directory.account('MAZZZZZZZZZZZZZZZZZZ' as AccountId)).toBeNull();
  });
});
