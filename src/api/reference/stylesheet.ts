/** The style of the reference page: the reader's colours, system fonts, and no picture. */
export const STYLESHEET = `:root {
  color-scheme: light dark;
  --text: light-dark(#1b1f24, #e4e7eb);
  --muted: light-dark(#57606a, #9aa4af);
  --back: light-dark(#ffffff, #14171a);
  --panel: light-dark(#f4f6f8, #1e2328);
  --line: light-dark(#d5dae0, #343b43);
  --link: light-dark(#0a5bb5, #7ab7ff);
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0 auto; padding: 0 1.25rem 4rem; max-width: 78rem;
  display: grid; grid-template-columns: 15rem minmax(0, 1fr); column-gap: 2.5rem;
  font: 1rem/1.55 system-ui, sans-serif; color: var(--text); background: var(--back);
}
header, .skip { grid-column: 1 / -1; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem; background: var(--panel); }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
small { color: var(--muted); font-weight: normal; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; padding: 1rem 0; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav > ul > li { margin-bottom: .75rem; font-weight: 600; }
nav li li { font-weight: normal; font-size: .9rem; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
section { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .5rem; }
article { margin: 2rem 0; padding-bottom: 1rem; border-bottom: 1px dashed var(--line); }
h3 { font-size: 1.2rem; margin-bottom: .25rem; }
h4 { margin: 1.25rem 0 .4rem; }
code, pre { font: .875rem/1.5 ui-monospace, monospace; }
.call { background: var(--panel); padding: .5rem .75rem; border-radius: .35rem; overflow-wrap: anywhere; }
pre { background: var(--panel); padding: .75rem; border-radius: .35rem; overflow: auto; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .925rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
tbody th { font-weight: normal; white-space: nowrap; }
td { overflow-wrap: anywhere; min-width: 7rem; }
details { border: 1px solid var(--line); border-radius: .35rem; padding: .4rem .75rem; margin: .4rem 0; }
summary { cursor: pointer; }
@media (max-width: 50rem) {
  body { display: block; }
  nav { position: static; max-height: none; }
}
@media print { nav { display: none; } }
`;
