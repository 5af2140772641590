import { inPage, type Page } from '#shared/contracts/page.ts';
import type { UnreachedList, UnreachedView } from '#shared/contracts/views.ts';
import { BEIJING_OFFSET, ROLE_NAMES } from '#shared/domain/roster.ts';
import type { NoticeKind } from '#shared/domain/notice-kind.ts';
import { clockTime } from '#shared/domain/wording.ts';

/** What the desk says to somebody whom it telephones; never more than a lock screen would show. */
const ERRANDS: Partial<Record<NoticeKind, string>> = {
  reinforce: '请去增援',
  nag: '还没有人接单，请马上安排人',
  returned: '要退回110，请确认',
  handback: '要退回110，请确认',
  pin: '打开任务的验证码发不出去',
};
/** The same, for every kind. */
export const errandOf = (kind: NoticeKind): string => ERRANDS[kind] ?? '请马上接单';

const STYLE = `
@page { margin: 12mm; }
body { margin: 1rem; background: #fff; color: #000; font: 16px/1.4 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif; }
h1 { margin: 0; font-size: 1.4rem; }
table { width: 100%; border-collapse: collapse; }
thead { display: table-header-group; }
tr { break-inside: avoid; page-break-inside: avoid; }
th, td { padding: .45rem .4rem; border: 1px solid #000; text-align: left; vertical-align: top; }
td.n { font-size: 1.25rem; font-weight: 700; white-space: nowrap; }
td.w { min-width: 8rem; }
`;

/** Day and minute, as it stands on paper that lies about for a while. */
const paperTime = (at: Date): string =>
  new Date(at.getTime() + BEIJING_OFFSET * 60_000).toISOString().slice(0, 16).replace('T', ' ');

const row = ({ number, member, kind, since }: UnreachedView, printed: Date): string => {
  const cells = [
    clockTime(new Date(since), printed),
    number,
    `${ROLE_NAMES[member.role]} ${member.name}`,
    member.phone,
    errandOf(kind),
  ];
  const [at = '', task = '', who = '', phone = '', errand = ''] = cells.map(inPage);
  return `<tr><td>□</td><td>${at}</td><td>${task}</td><td>${who}</td><td class="n">${phone}</td><td>${errand}</td><td class="w"></td></tr>`;
};

/**
 * The call list on paper, for a desk whose vendors are all down at three in the morning: whom, at what number, what to say, since when,
 * and room to write down what came of it.
 * @param printed this moment, district clock
 */
export const callListPage = ({ items }: UnreachedList, district: string, printed: Date): Page => {
  const title = inPage(`${district}电话通知单（${items.length}人）`);
  const table = `<table>
<thead><tr><th></th><th>从何时起</th><th>任务</th><th>谁</th><th>电话</th><th>说什么</th><th>结果（谁、几点）</th></tr></thead>
<tbody>
${items.map((item) => row(item, printed)).join('\n')}
</tbody>
</table>`;
  const html = `<!doctype html>
<html lang="zh-CN">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${STYLE}</style></head>
<body>
<h1>${title}</h1>
<p>${paperTime(printed)} 打印。电话里只说任务编号，不说人名、地址和内容。打通一个划掉一个，请对方在手机上接单，或由值班台代为接单。</p>
${items.length === 0 ? '<p>现在没有联系不上的人。</p>' : table}
</body>
</html>
`;
  return { kind: 'page', status: 200, html, runs: { style: STYLE } };
};
