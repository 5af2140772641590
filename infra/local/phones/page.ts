import type { StoredMessage } from './message-store.ts';

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escape = (text: string) => text.replace(/[&<>"']/g, (c) => ESCAPES[c] ?? c);

const CHANNELS = { push: '推送', chat: '工作软件', sms: '短信', voice: '电话' };
const PHONES = 200;
const TEXTS_PER_PHONE = 30;

/** One card per phone, the one with the newest text first; the newest texts on top. `messages` come newest first. */
export function phoneCards(messages: StoredMessage[], label: (number: string) => string | undefined): string {
  const phones = new Map<string, StoredMessage[]>();
  for (const message of messages) {
    const texts = phones.get(message.to);
    if (texts) texts.push(message);
    else phones.set(message.to, [message]);
  }
  if (phones.size === 0) return '<p class="none">还没有消息。有人被派单时，这里会出现他的手机。</p>';
  return [...phones]
    .slice(0, PHONES)
    .map(([number, texts]) => card(number, texts, label(number)))
    .join('\n');
}

function card(number: string, texts: StoredMessage[], label: string | undefined): string {
  const items = texts.slice(0, TEXTS_PER_PHONE).map((m) => {
    const local = new Date(m.at + 8 * 3_600_000).toISOString();
    const shown = `${Number(local.slice(5, 7))}月${Number(local.slice(8, 10))}日 ${local.slice(11, 19)}`;
    const link = m.more['link'] ? ` <span class="link">${escape(m.more['link'])}</span>` : '';
    return `<li><time datetime="${new Date(m.at).toISOString()}">${shown} ${CHANNELS[m.channel]}（${escape(m.vendor)}）</time><p>${escape(m.text)}${link}</p>${m.channel === 'voice' ? call(m) : ''}</li>`;
  });
  const more =
    texts.length > items.length ? `<li class="none">还有更早的 ${texts.length - items.length} 条</li>` : '';
  const name = label === undefined ? '' : `<span>${escape(label)}</span>`;
  const reply = texts.some((m) => m.channel === 'sms')
    ? `<form data-number="${escape(number)}"><input aria-label="回复短信" maxlength="200" placeholder="回复短信"><button>发送</button></form>`
    : '';
  return `<section><h2><a href="/?number=${encodeURIComponent(number)}">${escape(number)}</a>${name}</h2><ul>${items.join('')}${more}</ul>${reply}</section>`;
}

/** A call that rings, with what one can do about it; or how it ended. */
function call(m: StoredMessage): string {
  if (m.state !== 1) {
    const keys = m.more['keys'] ?? '';
    const end = m.more['voicemail']
      ? '语音信箱接的'
      : m.state === 2
        ? '没有接'
        : `接了，按了 ${keys || '（没有按键）'}`;
    return `<p class="none">${escape(end)}</p>`;
  }
  const button = (end: unknown, name: string) =>
    `<button type="button" data-call="${escape(JSON.stringify({ number: m.to, end }))}">${name}</button>`;
  return `<p class="call">正在响铃 ${button({ keys: '1' }, '接听按 1')}${button({ keys: '2' }, '接听按 2')}${button('no-answer', '不接')}${button('voicemail', '语音信箱')}</p>`;
}

/** The whole page. It fetches its cards again whenever the server says that a text has come; the script runs by `nonce` only. */
export function phonesPage(
  cards: string,
  nonce: string,
  { faultsUrl, vendors }: { faultsUrl: string; vendors: readonly string[] },
): string {
  return `<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>小脑 · 手机（模拟）</title>
<style nonce="${nonce}">
  :root { color-scheme: light dark; --line: light-dark(#d5d9e0, #3a3f48); --soft: light-dark(#596273, #a5adba); --paper: light-dark(#fff, #1d2026); }
  body { margin: 0 auto; max-width: 72rem; padding: 1rem; font: 1rem/1.6 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; background: light-dark(#f3f4f7, #121418); }
  header p, footer, time, .none { color: var(--soft); }
  footer { margin-top: 1.5rem; font-size: .9rem; } pre { overflow-x: auto; }
  h1 { font-size: 1.3rem; margin: 0; }
  header p { margin: .2rem 0 1rem; }
  main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); align-items: start; }
  section { background: var(--paper); border: 1px solid var(--line); border-radius: .8rem; padding: .8rem 1rem; }
  h2 { font-size: 1.05rem; margin: 0 0 .5rem; display: flex; gap: .6rem; flex-wrap: wrap; }
  h2 a { color: inherit; } h2 span { font-weight: 400; color: var(--soft); }
  ul { list-style: none; margin: 0; padding: 0; max-height: 28rem; overflow-y: auto; }
  li + li { border-top: 1px solid var(--line); margin-top: .6rem; padding-top: .6rem; }
  li p { margin: 0; overflow-wrap: anywhere; } .link { color: var(--soft); }
  form { display: flex; gap: .4rem; margin-top: .6rem; } input { flex: 1; min-width: 0; } input, button { font: inherit; }
  .call { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; }
  time { font-size: .85rem; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<header>
<h1>手机（模拟）</h1>
<p>本机演示：每个号码收到的短信、电话和推送都在这里，新的自动出现。可以回复短信，也可以接电话按键。号码和姓名都是样例。<a href="/">全部号码</a></p>
</header>
<main aria-live="polite">
${cards}
</main>
<footer>
<p>想看短信发不出去会怎样：在命令行运行下面这一句，接下来的两条短信会被拒绝。<code>mode</code> 换成 <code>timeout</code> 是不回应，换成 <code>silent</code> 是收下却不送达，换成 <code>none</code> 恢复正常。<code>vendor</code> 换成别的通道，就是那个通道出故障：${vendors.map((name) => `<code>${escape(name)}</code>`).join('、')}。</p>
<pre><code>curl -d '{"vendor":"aliyun-sms","mode":"refuse","count":2}' ${escape(faultsUrl)}</code></pre>
</footer>
<script nonce="${nonce}">
  const main = document.querySelector('main');
  let due;
  const refresh = async () => {
    // A half-written answer would be lost with its field.
    if (writes()) { due = setTimeout(refresh, 1000); return; }
    due = undefined;
    const url = new URL(location.href);
    url.searchParams.set('part', 'cards');
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) main.innerHTML = await response.text();
  };
  const post = (path, body) => fetch(path, { method: 'POST', body: JSON.stringify(body) }).catch(() => undefined);
  main.addEventListener('click', (event) => {
    const { call } = event.target.dataset ?? {};
    if (call) void post('/phones/call', JSON.parse(call));
  });
  main.addEventListener('submit', (event) => {
    event.preventDefault();
    const [input] = event.target.elements;
    if (!input.value) return;
    void post('/phones/reply', { number: event.target.dataset.number, text: input.value });
    input.value = '';
  });
  const writes = () => main.contains(document.activeElement) && document.activeElement.value;
  const events = new EventSource('/events');
  events.onmessage = () => { due ??= setTimeout(refresh, 300); };
  events.onopen = () => { due ??= setTimeout(refresh, 0); };
</script>
</body>
</html>
`;
}
