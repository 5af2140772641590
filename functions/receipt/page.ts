import type { Outcome } from '#shared/contracts/errors.ts';
import { inPage, type Page } from '#shared/contracts/page.ts';
import type { LinkState } from '#shared/contracts/session.ts';

const between = (source: string, tag: string): string => {
  const [, inner] = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(source) ?? [];
  if (inner === undefined) throw new Error(`page.html has no <${tag}>.`);
  return inner;
};

/**
 * The page behind a link, from `page.html`: one page for all, which asks for everything by itself. `desk`: whom to telephone if the link
 * is dead, should the district say so. Indentation is left out on the way: a quarter of what a phone in the rain has to fetch.
 */
export const linkPage = (source: string, desk: string | undefined): ((shown: Outcome<LinkState>) => Page) => {
  const page = source.replace(/^ +/gm, '');
  const runs = { script: between(page, 'script'), style: between(page, 'style') };
  return (shown) => {
    const link = shown.kind === 'refused' ? 'dead' : shown.body.drill ? 'drill' : 'task';
    const data = {
      link,
      ...(shown.kind === 'refused' ? {} : { number: shown.body.number }),
      ...(link !== 'dead' || desk === undefined ? {} : { desk }),
    };
    const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${inPage(value)}"`);
    return {
      kind: 'page',
      status: link === 'dead' ? 404 : 200,
      html: page.replace('<body>', () => `<body${attributes.join('')}>`),
      runs,
    };
  };
};
