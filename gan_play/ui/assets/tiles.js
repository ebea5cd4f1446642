// One script for all pieces of ui/tiles.py, run once a component. It listens on the component's root, so it survives
// new contents. It answers at once what the browser alone can answer (large view, link, focus, the mark on a pressed
// tile) and tells the rest to the server by `trigger`. Seeds stay text: JavaScript rounds whole numbers above 2**53.
const large = (figure, code, src) => {
  const dialog = document.createElement('dialog');
  const title = figure.querySelector('figcaption')?.textContent || '';
  dialog.setAttribute('aria-label', title);
  dialog.style.cssText = 'padding:0;border:0;background:#767676;max-width:100vw;max-height:100vh;margin:auto';
  const copy = new Image();
  copy.src = src || 'gradio_api/art/' + code + '.png';
  copy.alt = title;
  const room = () => {
    const fit = Math.min(innerWidth / copy.naturalWidth, innerHeight / copy.naturalHeight);
    const times = fit >= 1 ? Math.min(Math.floor(fit), 16) : fit;
    copy.style.cssText = 'display:block;margin:0;width:' + copy.naturalWidth * times + 'px;'
      + (Math.max(copy.naturalWidth, copy.naturalHeight) < 64 ? 'image-rendering:pixelated' : '');
  };
  copy.onload = room;
  dialog.append(copy);
  dialog.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
};
const key = () => document.querySelector('#state-owner textarea')?.value ?? '';
const asking = async (question, asked) => {
  try { return await server[question](asked) ?? {sentence: words.lost}; } catch { return {sentence: words.lost}; }
};
// A heart is hollow until the server has said otherwise; what was pressed since it was asked stands, whatever it says.
// What stands beside a liked picture was seen and passed over.
let presses = 0;
const heart = (button, liked) => {
  button.textContent = liked ? words.liked : words.like;
  button.setAttribute('aria-pressed', String(liked));
};
const hearts = async () => {
  const all = [...element.querySelectorAll('[data-do="like"]')];
  if (!all.length) return;
  const since = presses, codes = all.map((button) => button.dataset.code);
  const answer = await asking('liked', [key(), ...codes]);
  if (!answer.liked) return;
  all.filter((button, place) => button.dataset.code === codes[place] && !(button.pressed > since))
    .forEach((button) => heart(button, answer.liked.includes(button.dataset.code)));
};
const like = async (button) => {
  const liked = button.getAttribute('aria-pressed') !== 'true';
  const code = button.dataset.code;
  heart(button, liked);
  button.pressed = ++presses;
  const room = document.querySelector('#brood .tile.current') ? '#brood' : '#seeds';
  const beside = element.closest('#stage') ? [...document.querySelectorAll(room + ' .tile')] : [];
  const answer = await asking('liking', [code, key(), liked ? 'yes' : '',
    beside.map((tile) => tile.dataset.code)]);
  if (button.dataset.code === code) button.pressed = ++presses;  // what was asked meanwhile may not know of it yet
  if (answer.sentence) {
    if (button.dataset.code === code) heart(button, !liked);
    tell(button.closest('.actions'), answer.sentence);
  }
  else document.dispatchEvent(new CustomEvent('gan-play-liked'));
};
const tell = (row, text) => {
  row.parentElement.querySelectorAll('.link, .told').forEach((old) => old.remove());
  const line = document.createElement('p');
  line.className = 'note told';
  line.setAttribute('role', 'status');
  line.textContent = text;
  row.after(line);
};
const withdraw = async (button) => {
  const row = button.closest('figure').querySelector('.actions');
  const answer = await asking('withdrawn', [button.dataset.code, key()]);
  tell(row, answer.done || answer.sentence);
};
const share = async (button) => {
  const row = button.closest('.actions'), code = button.dataset.code;
  button.textContent = words.wait;
  const sealed = await asking('sealed', [code, key()]);
  if (button.dataset.code !== code) {  // another picture is shown by now
    button.textContent = words.share;
    return;
  }
  row.parentElement.querySelectorAll('.link, .told').forEach((old) => old.remove());
  const shown = document.createElement('input');
  shown.className = 'link';
  shown.readOnly = true;
  shown.setAttribute('aria-label', words.link);
  row.after(shown);
  if (sealed.code) {
    const back = document.createElement('button');
    [back.type, back.className, back.textContent] = ['button', 'quiet told', words.withdraw];
    [back.dataset.do, back.dataset.code] = ['withdraw', sealed.code];
    shown.after(back);
  }
  shown.value = sealed.code
    ? (row.dataset.base || location.origin + location.pathname) + '?art=' + sealed.code : sealed.sentence;
  let copied = false;
  if (sealed.code) {
    try { await navigator.clipboard.writeText(shown.value); copied = true; }
    catch (refused) { shown.select(); copied = document.execCommand('copy'); }
    if (!copied) shown.select();
  }
  button.textContent = copied ? words.copied : sealed.code ? words.select : words.share;
  button.classList.toggle('done', copied);
  setTimeout(() => { button.textContent = words.share; button.classList.remove('done'); }, 2500);
};
// A tree keeps its zoom, and is scrolled to who is bred now, whenever it is drawn anew.
let zoomed = 1;
const show = () => element.querySelector('.family-plane')?.style.setProperty('--zoom', zoomed);
const find = () => {
  const [view, here] = [element.querySelector('.family-view'), element.querySelector('.member .tile.current')];
  if (view && here) view.scrollTo(here.parentElement.offsetLeft * zoomed - view.clientWidth / 2,
    here.parentElement.offsetTop * zoomed - view.clientHeight / 2);
};
// What changes Play's desk is told after whatever was done before it: ui/at_once.py has it.
const act = (deed) => element.closest('#stage, #tray, #pair')
  ? document.dispatchEvent(new CustomEvent('gan-play-did', {detail: deed})) : trigger('act', deed);
element.addEventListener('click', (event) => {
  const doing = event.target.closest('[data-do]');
  if (doing && element.contains(doing)) {
    const code = doing.dataset.code || '';
    if (doing.dataset.do === 'open') {
      const figure = doing.closest('figure');
      const video = figure.querySelector('video');
      return video ? video.requestFullscreen?.() : large(figure, code, doing.dataset.src);
    }
    if (doing.dataset.do === 'share') return share(doing);
    if (doing.dataset.do === 'like') return like(doing);
    if (doing.dataset.do === 'withdraw') return withdraw(doing);
    const first = element.querySelector('[data-first]')?.dataset.first || '';
    const deed = {do: doing.dataset.do, code, first};
    return deed.do === 'keep' ? trigger('keep', deed) : act(deed);
  }
  const zoom = event.target.closest('[data-zoom]');
  if (zoom) {
    zoomed = Math.min(2, Math.max(0.3, zoomed * Number(zoom.dataset.zoom)));
    return show();
  }
  const tile = event.target.closest('.tile');
  if (!tile) return;
  element.querySelectorAll('.tile.current').forEach((other) => other.classList.remove('current'));
  tile.classList.add('current');
  if (!tile.dispatchEvent(new Event('gan-play-pick', {bubbles: true, cancelable: true}))) return;  // ui/at_once.py has it
  trigger('pick', {seed: tile.dataset.seed || '', label: tile.dataset.label || '', code: tile.dataset.code || ''});
});
element.addEventListener('keydown', (event) => {
  const at = event.target.closest('.tile');
  if (!at) return;
  const all = [...(at.closest('[role=group]') ?? at.parentElement).querySelectorAll('.tile')];
  const columns = Math.max(1, all.filter((tile) => tile.offsetTop === all[0].offsetTop).length);
  const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns,
    Home: -all.indexOf(at), End: all.length - 1 - all.indexOf(at)}[event.key];
  if (event.key.toLowerCase() === 's' && !event.ctrlKey && !event.metaKey && !event.altKey) {
    document.querySelector('#stage [data-do="share"]')?.click();
  } else if (event.key === 'Delete' && at.classList.contains('picked')) {
    act({do: 'out', code: '', seed: at.dataset.seed, label: at.dataset.label || ''});
  } else if (step === undefined) return;
  else if (event.shiftKey && at.classList.contains('picked')) {
    act({do: step < 0 ? 'left' : 'right', code: '', seed: at.dataset.seed, label: at.dataset.label || ''});
  } else (all[all.indexOf(at) + step] || at).focus();
  event.preventDefault();
});
let carried = null;
element.addEventListener('pointerdown', (event) => {
  const tile = event.target.closest('.tile.picked');
  carried = tile ? {tile, x: event.clientX} : null;
});
element.addEventListener('pointerup', (event) => {
  const from = carried;
  carried = null;
  if (!from || Math.abs(event.clientX - from.x) < 24) return;
  const over = document.elementsFromPoint(event.clientX, event.clientY)
    .map((hit) => hit.closest?.('.tile.picked')).find((hit) => hit && hit !== from.tile && element.contains(hit));
  const [one, other] = [from.tile.dataset, over?.dataset];
  if (over) act({do: 'move', code: '', seed: one.seed, label: one.label || '',
    to: other.seed, to_label: other.label || ''});
});
// A film starts by itself only where it is mute, and a patched element keeps what its attribute said at birth.
watch('value', () => {
  element.querySelectorAll('video[autoplay]').forEach((video) => {
    video.muted = true;
    video.play().catch(() => {});
  });
  show();
  find();
  hearts();
});
hearts();
document.addEventListener('gan-play-liked', hearts);
// What was laid out ahead of the server's answer stays only where the answer says the same.
const codes = (root) => [...root.querySelectorAll('[data-code]:not(.told)')].map((piece) => piece.dataset.code).join();
document.addEventListener('gan-play-settled', () => {
  if (!element.closest('#stage, #seeds')) return;
  const said = document.createElement('template');
  said.innerHTML = props.value;
  if (codes(said.content) === codes(element)) return;
  element.innerHTML = props.value;
  hearts();
});
