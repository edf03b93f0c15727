import { curlLine } from './curl.js';
import type {
  DocumentedOperation,
  DocumentedParameter,
  DocumentedResponse,
  OpenApiDocument,
} from './document.js';
import { Html, html, when } from './html.js';
import { describeValue, type SchemaRow, schemaRows } from './schema-rows.js';

interface Call {
  readonly path: string;
  readonly method: string;
  readonly operation: DocumentedOperation;
}

/** The reference as one page of HTML: no script, nothing from elsewhere, readable without its style sheet. */
export function renderPage(document: OpenApiDocument): string {
  const { info, tags, components } = document;
  const calls = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): Call => ({ path, method, operation })),
  );
  const groups = tags
    .map((tag) => ({ ...tag, calls: calls.filter(({ operation }) => operation.tags.includes(tag.name)) }))
    .filter((group) => group.calls.length > 0);
  const error = components.schemas.Error ?? {};

  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title} ${info.version}: API reference</title>
<link rel="stylesheet" href="/docs/reference.css">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<h1>${info.title} <small>${info.version}</small></h1>
<p>API reference. The same for programs: <a href="/openapi.json">openapi.json</a> (OpenAPI ${document.openapi}).</p>
</header>
<nav aria-label="Operations">
<ul>
<li><a href="#introduction">Introduction</a></li>
${groups.map(
  (group) => html`<li><a href="#${group.name}">${group.name}</a>
<ul>
${group.calls.map(
  ({ operation }) => html`<li><a href="#${operation.operationId}">${operation.summary}</a></li>
`,
)}</ul>
</li>
`,
)}<li><a href="#errors">Errors</a></li>
</ul>
</nav>
<main id="content">
<section id="introduction" aria-labelledby="introduction-title">
<h2 id="introduction-title">Introduction</h2>
<p>${inline(info.description)}</p>
<p>The examples take these variables of the shell:</p>
<pre tabindex="0"><code>BASE=http://127.0.0.1:8080
AUTH_ID=MAXXXXXXXXXXXXXXXXXX
AUTH_TOKEN=the-token-of-40-characters</code></pre>
<p>Some take one more, which their path or their authentication names:</p>
<dl>
${variables(calls).map(
  ([name, meaning]) => html`<dt><code>${name}</code></dt><dd>${inline(meaning)}</dd>
`,
)}</dl>
</section>
${groups.map(
  (group) => html`<section id="${group.name}" aria-labelledby="${group.name}-title">
<h2 id="${group.name}-title">${group.name}</h2>
<p>${inline(group.description)}</p>
${group.calls.map(call)}</section>
`,
)}<section id="errors" aria-labelledby="errors-title">
<h2 id="errors-title">Errors</h2>
<p>Every error has this body, and is never empty.</p>
${table(schemaRows(error), 'Fields of an error')}
</section>
</main>
</body>
</html>
`;
  return page.text;
}

/** The variables of the curl lines beside those that every call takes, and what each one is. */
function variables(calls: readonly Call[]): [string, string][] {
  const parameters = calls.flatMap(({ operation }) => operation.parameters ?? []);
  const inPaths = parameters
    .filter((parameter) => parameter.in === 'path' && parameter.name !== 'auth_id')
    .map(({ name, description = '' }): [string, string] => [name.toUpperCase(), description]);
  return [...new Map([...inPaths, ['SECRET', "the carrier's `secret`"] as const])];
}

function call({ path, method, operation }: Call): Html {
  const { operationId: id, parameters = [], requestBody } = operation;
  const media = requestBody?.content['application/json'];
  return html`<article id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${operation.summary}</h3>
<p class="call"><b class="${method}">${method.toUpperCase()}</b> <code>${path}</code></p>
${when(operation.description, () => html`<p>${inline(operation.description!)}</p>\n`)}<p>${security(operation)}</p>
${(['path', 'query', 'header'] as const).map((place) => parameterTable(parameters, place))}${when(
  media,
  () => html`<h4>Body${when(!requestBody?.required, () => ' (optional)')}</h4>
${table(schemaRows(media!.schema), 'Fields of the body')}${Object.entries(media!.examples ?? {}).map(
  ([name, { value }]) => html`<p>${capitalised(name)}:</p>
${json(value)}`,
)}`,
)}<h4>Example</h4>
<pre tabindex="0"><code>${curlLine(method, path, operation)}</code></pre>
<h4>Answers</h4>
${Object.entries(operation.responses).map(([status, each]) => response(status, each))}</article>
`;
}

function security({ security = [] }: DocumentedOperation): string {
  const schemes = security.flatMap((each) => Object.keys(each));
  if (schemes.includes('basic')) return 'HTTP Basic: auth id and auth token.';
  return schemes.includes('bearer') ? "Bearer: the carrier's secret." : 'No authentication.';
}

function parameterTable(parameters: readonly DocumentedParameter[], place: DocumentedParameter['in']): Html {
  const names = { path: 'Path', query: 'Query', header: 'Headers' } as const;
  const rows = parameters
    .filter((parameter) => parameter.in === place)
    .map(({ name, required = false, description = '', schema }) => ({
      ...describeValue(schema),
      name,
      required,
      description,
    }));
  if (rows.length === 0) return html``;
  return html`<h4>${names[place]}</h4>
${table(rows, `${names[place]} parameters`)}`;
}

function response(status: string, { description, headers = {}, content = {} }: DocumentedResponse): Html {
  const [type, media] = Object.entries(content)[0] ?? [];
  const isError = typeof media?.schema.$ref === 'string';
  const example = Object.values(media?.examples ?? {})[0];
  const rows = isError || !media ? [] : schemaRows(media.schema);
  return html`<details${when(!isError, () => new Html(' open'))}>
<summary><b>${status}</b> ${inline(description)}</summary>
${Object.entries(headers).map(
  ([name, header]) => html`<p>Header <code>${name}</code>: ${inline(header.description ?? '')}</p>
`,
)}${when(isError, () => html`<p>Body: an <a href="#errors">error</a>.</p>\n`)}${when(
  type !== undefined && type !== 'application/json',
  () => html`<p>Body: <code>${type ?? ''}</code>.</p>\n`,
)}${when(rows.length, () => table(rows, `Fields of the answer ${status}`))}${when(example, () =>
  json(example!.value),
)}</details>
`;
}

function table(rows: readonly SchemaRow[], caption: string): Html {
  if (rows.length === 0) return html``;
  return html`<div class="table" tabindex="0" role="region" aria-label="${caption}">
<table>
<thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>
${rows.map(
  ({ name, type, required, description, rules }) => html`<tr><th scope="row"><code>${name}</code>${when(
    required,
    () => html` <small>required</small>`,
  )}</th><td>${type}</td><td>${inline(description)}${rules.map(
    (rule) => html`<br><small>${rule}</small>`,
  )}</td></tr>
`,
)}</tbody>
</table>
</div>
`;
}

function json(value: unknown): Html {
  return html`<pre tabindex="0"><code>${JSON.stringify(value, null, 2)}</code></pre>
`;
}

/** Text in which what stands in backticks is code. */
function inline(text: string): Html[] {
  return text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
