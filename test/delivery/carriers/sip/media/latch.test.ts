import { expect, it } from 'vitest';
import { Latch } from '#delivery/carriers/sip/media/latch.js';

const told = { address: '198.51.100.7', port: 4000 };
const moved = { address: '198.51.100.7', port: 40_123 };
const other = { address: '198.51.100.7', port: 40_125 };
const stranger = { address: '203.0.113.9', port: 4000 };

it('admits nobody before SDP has said anything', () => {
  const latch = new Latch(true);
  expect(latch.target).toBeNull();
  expect(latch.admits(told, 0)).toBe(false);
});

it('sends where SDP says until packets come from another port of that address', () => {
  const latch = new Latch(false);
  latch.tell(told);
  expect(latch.target).toEqual(told);
  expect(latch.admits(stranger, 0)).toBe(false);
  expect(latch.admits(moved, 0)).toBe(true);
  latch.learn(moved, 0);
  expect(latch.target).toEqual(moved);
  expect(latch.admits(other, 900)).toBe(false);
  expect(latch.admits(other, 1001)).toBe(true);
  expect(latch.admits(stranger, 60_000)).toBe(false);
});

it('takes the port that SDP names before any other of its address, and keeps it however quiet it gets', () => {
  const latch = new Latch(false);
  latch.tell(told);
  // A call of somebody else behind the same border controller was quicker, and never stops.
  latch.learn(other, 0);
  expect(latch.admits(told, 20)).toBe(true);
  latch.learn(told, 20);
  expect(latch.target).toEqual(told);
  expect(latch.admits(other, 30)).toBe(false);
  expect(latch.admits(other, 60_000)).toBe(false);
  latch.tell({ ...told, port: 4002 });
  expect(latch.admits(other, 60_001)).toBe(true);
});

it('leaves a first source of another address alone, whoever writes the address of the SDP into a packet', () => {
  const latch = new Latch(true);
  latch.tell(told);
  latch.learn(stranger, 0);
  expect(latch.admits(told, 20)).toBe(false);
});

it('keeps what it learnt over a repetition of the SDP, and forgets it with another one', () => {
  const latch = new Latch(true);
  latch.tell(told);
  latch.learn(stranger, 0);
  latch.tell({ ...told });
  expect(latch.target).toEqual(stranger);
  latch.tell({ ...told, port: 4002 });
  expect(latch.target).toEqual({ ...told, port: 4002 });
});

it('never takes port 0 for a source, to which nothing can be sent', () => {
  const latch = new Latch(true);
  latch.tell(told);
  expect(latch.admits({ ...told, port: 0 }, 0)).toBe(false);
});
