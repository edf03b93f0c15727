import { expect, test } from 'vitest';
import type { OpenApiDocument } from '#api/reference/document.js';
import { renderPage } from '#api/reference/page.js';

test('whatever a document says is text on the page, never markup', () => {
  const evil = '<script>alert("1")</script>\'&`<b>`';
  const document: OpenApiDocument = {
    openapi: '3.1.0',
    info: { title: evil, version: evil, description: evil },
    tags: [{ name: evil, description: evil }],
    paths: {
      [`/${evil}`]: {
        post: {
          operationId: evil,
          summary: evil,
          description: evil,
          tags: [evil],
          parameters: [{ name: evil, in: 'query', description: evil, schema: { type: evil, enum: [evil] } }],
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: { properties: { [evil]: { type: 'string', pattern: evil, description: evil } } },
                examples: { [evil]: { value: { [evil]: evil } } },
              },
            },
          },
          responses: {
            200: {
              description: evil,
              headers: { [evil]: { description: evil, schema: {} } },
              content: { [evil]: { schema: {} } },
            },
          },
        },
      },
    },
    components: { schemas: {}, securitySchemes: {} },
  };
  const page = renderPage(document);
  expect(page).not.toContain('<script');
  expect(page).not.toMatch(/<b>(?!200|POST)/);
  expect(page).not.toMatch(/="[^"]*<[^"]*"/);
  expect(page.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(12);
});
