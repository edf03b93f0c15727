import { Type } from 'typebox';
import type { Schema } from '../reference/operation.js';
import { optionalText } from '../wire.js';
import { MAX_LIMIT, MAX_OFFSET } from './list-query.js';
import { integerParameter } from './query.js';

/** Which part of a list is asked for, with the bounds of contract §5. */
export interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** The fields of `meta` in a list's answer. */
export const META = {
  limit: Type.Integer(),
  offset: Type.Integer(),
  next: optionalText('the path of the next page; null: this is the last'),
  previous: optionalText('the path of the page before; null: this is the first'),
};

/** The query parameters that a list takes for its pages, for the reference. */
export const PAGE_PARAMETERS: Readonly<Record<string, Schema>> = {
  limit: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: MAX_LIMIT, description: 'most to show' },
  offset: { type: 'integer', minimum: 0, maximum: MAX_OFFSET, default: 0, description: 'how many to skip' },
};

/** @throws ApiError 400 */
export function readPage(query: unknown): Page {
  return {
    limit: integerParameter(query, 'limit', { min: 1, max: MAX_LIMIT, otherwise: MAX_LIMIT }),
    offset: integerParameter(query, 'offset', { min: 0, max: MAX_OFFSET, otherwise: 0 }),
  };
}

/** `meta` of a list at `path`, whose pages keep the given filters. */
export function metaOf(
  path: string,
  { limit, offset }: Page,
  hasNext: boolean,
  filters: Readonly<Record<string, string>> = {},
) {
  const pageAt = (start: number) => {
    const query = new URLSearchParams({ limit: String(limit), offset: String(start), ...filters });
    return `${path}?${query}`;
  };
  return {
    limit,
    offset,
    next: hasNext && offset + limit <= MAX_OFFSET ? pageAt(offset + limit) : null,
    previous: offset > 0 ? pageAt(Math.max(0, offset - limit)) : null,
  };
}
