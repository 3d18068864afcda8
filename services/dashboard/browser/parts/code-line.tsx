/*
 * A line of YAML with colours: key, string, comment. Colours are decoration only, so simple patterns are enough; the text is never changed.
 */

const LINE = /^(\s*(?:- )*)(?:("?[\w.-]+"?)(:)(?=\s|$))?(.*)$/;
const PART = /("(?:[^"\\]|\\.)*"|'[^']*')|((?:^|\s)#.*$)/g;

export function CodeLine({ text }: { readonly text: string }) {
  const [, indent = '', key = '', colon = '', rest = text] = LINE.exec(text) ?? [];
  return (
    <>
      {indent}
      {key !== '' && <span class="k">{key}</span>}
      {colon}
      <Rest text={rest} />
    </>
  );
}

function Rest({ text }: { readonly text: string }) {
  const parts: preact.ComponentChild[] = [];
  let at = 0;
  for (const match of text.matchAll(PART)) {
    const [whole, string] = match;
    if (match.index > at) parts.push(text.slice(at, match.index));
    parts.push(
      <span key={match.index} class={string === undefined ? 'c' : 's'}>
        {whole}
      </span>,
    );
    at = match.index + whole.length;
  }
  if (at < text.length) parts.push(text.slice(at));
  return <>{parts}</>;
}
