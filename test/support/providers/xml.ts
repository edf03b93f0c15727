/** An element of a document, with what is in it. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (Element | string)[];
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** A small strict reader of XML: throws for what is not well-formed. */
export function parseXml(text: string): Element {
  const root = { name: '', attributes: {}, children: [] as (Element | string)[] };
  const open = [root];
  const tokens = /<\?[^?]*\?>|<(\/?)([A-Za-z][\w-]*)((?: [A-Za-z][\w-]*="[^"<]*")*)(\/?)>|([^<]+)/gy;
  let at = 0;
  for (const token of text.matchAll(tokens)) {
    if (token.index !== at) break;
    at += token[0].length;
    const [, closes, name, given = '', empty, words] = token;
    const parent = open.at(-1)!;
    if (words !== undefined) parent.children.push(unescapeXml(words));
    else if (name === undefined) continue;
    else if (closes) {
      if (parent.name !== name) throw new Error(`</${name}> closes <${parent.name}>`);
      open.pop();
    } else {
      const attributes = Object.fromEntries(
        [...given.matchAll(/ ([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, unescapeXml(value!)]),
      );
      const element = { name, attributes, children: [] };
      parent.children.push(element);
      if (!empty) open.push(element);
    }
  }
  const [only, ...rest] = root.children;
  if (at !== text.length || open.length !== 1 || rest.length > 0 || typeof only !== 'object') {
    throw new Error(`not well-formed at ${at}: ${text.slice(at, at + 40)}`);
  }
  return only;
}

function unescapeXml(text: string): string {
  return text.replace(/&([a-z]*);?/g, (whole, name) => {
    if (!whole.endsWith(';') || !Object.hasOwn(ENTITIES, name)) throw new Error(`${whole} is no entity`);
    return ENTITIES[name]!;
  });
}
