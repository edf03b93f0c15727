import { expect, test } from 'vitest';
import { callbackRequest } from '#callbacks/request.js';

const NONCE = '05429567804466091622';
const SIGNERS = { own: ['token'], main: ['main token'] };
const BODY = 'RequestTime=2026-01-31T08%3A52%3A39.363000Z&BrandName=Acme+Corp&AppHash=';
const QUERY = 'RequestTime=2026-01-31T08:52:39.363000Z&BrandName=Acme%20Corp&AppHash=';

function get(url: string, body = BODY): string {
  return callbackRequest({ method: 'GET', url, body }, NONCE, SIGNERS).url;
}

test('a POST carries the parameters as they were fixed, form-encoded', () => {
  const url = 'https://customer.example/status?tenant=7';
  const request = callbackRequest({ method: 'POST', url, body: BODY }, NONCE, SIGNERS);
  expect(request).toMatchObject({ method: 'POST', url, body: BODY });
  expect(request.headers['Content-Type']).toBe('application/x-www-form-urlencoded');
});

test('a GET has the parameters in its query, colons plain and spaces as %20, and no body', () => {
  const request = callbackRequest(
    { method: 'GET', url: 'https://customer.example/status', body: BODY },
    NONCE,
    SIGNERS,
  );
  expect(request).toMatchObject({ url: `https://customer.example/status?${QUERY}`, body: null });
  expect(Object.keys(request.headers)).not.toContain('Content-Type');
});

test('a GET appends to the query that the URL has', () => {
  expect(get('https://customer.example/?tenant=7')).toBe(`https://customer.example/?tenant=7&${QUERY}`);
  expect(get('https://customer.example/?')).toBe(`https://customer.example/?${QUERY}`);
  expect(get('https://customer.example/?tenant=7&')).toBe(`https://customer.example/?tenant=7&${QUERY}`);
});

test('text that looks like an encoded colon or a plus stays what it is', () => {
  const body = new URLSearchParams({ BrandName: '%3A+:' }).toString();
  const { searchParams, href } = new URL(get('https://customer.example/', body));
  expect(searchParams.get('BrandName')).toBe('%3A+:');
  expect(href).toContain('BrandName=%253A%2B:');
});
