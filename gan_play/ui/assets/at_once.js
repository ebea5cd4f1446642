// What a hand does in Play's grid and tray, shown before the server has answered (ui/at_once.py), run once. One question
// to the server at a time; what is done meanwhile goes together into the next. As long as anything is unanswered its look
// is laid over whatever an earlier answer paints, before the browser shows that; the last answer stands as it is.
const at = (selector) => document.querySelector(selector);
const value = (id) => at('#' + id + ' :is(textarea, input)')?.value ?? '';
const truncation = () => String(Number(at('#play-truncation input[type=range]').value));
const settings = () => value('play-digest').slice(0, 16) + ' ' + truncation();
const follows = () => known.following.includes(at('#play-tool input:checked')?.value);
let waiting = [], asked = [];  // done and not yet told; told and not yet answered
const idle = () => !waiting.length && !asked.length;
let picture = null, page = null;  // what is laid out: a tile that was clicked, a page of seeds
const layPicture = () => {
  const figure = at('#stage figure'), image = figure?.querySelector('.large img');
  if (!picture || !image || !follows() || picture.settings !== settings()) return;
  for (const tile of document.querySelectorAll('#seeds .tile')) {
    tile.classList.toggle('current', tile.dataset.code === picture.code);
  }
  if (image.getAttribute('src') === picture.src) return;
  image.setAttribute('src', picture.src);
  image.alt = figure.querySelector('figcaption').textContent = picture.title;
  figure.querySelector('.large').setAttribute('aria-label', known.words.open.replace('{title}', picture.title));
  figure.querySelectorAll('[data-code]').forEach((piece) => { piece.dataset.code = picture.code; });
  figure.querySelector('[download]')?.setAttribute('href', 'gradio_api/art/' + picture.code + '.png?download=1');
  figure.querySelectorAll('.link, .told').forEach((told) => told.remove());
  const heart = figure.querySelector('[data-do=like]');
  if (heart) { heart.textContent = known.words.like; heart.setAttribute('aria-pressed', 'false'); }
};
const name = (grid) => grid.getAttribute('aria-label');  // which seeds it shows, in words
const layPage = () => {
  const old = at('#seeds .tiles');
  if (!page || !old || page.settings !== settings() || page.label !== value('play-label-number')) return;
  if (name(old) !== name(page.grid)) old.replaceWith(page.grid.cloneNode(true));
};
const lay = () => { layPage(); layPicture(); };
let seen = null;  // watches what the answers paint
const look = () => {
  if (seen) return;
  seen = new MutationObserver(() => { lay(); seen.takeRecords(); });
  for (const id of ['#stage', '#seeds']) {
    seen.observe(at(id), {subtree: true, childList: true, attributes: true, characterData: true});
  }
};
// A page of seeds: asked for once. Ahead of a hand the server gives it only while nobody waits for a picture; a hand that
// comes meanwhile asks for itself.
let ready = {of: '', ahead: false, page: null};
const turned = (first, turns, ahead = false) => {
  const [now, label] = [settings(), value('play-label-number')];
  const of = new URLSearchParams({turns: turns.join(), first, label, digest: value('play-digest'),
    seed: value('play-current'), tray: value('state-tray'), truncation: truncation()}).toString();
  if (ready.of !== of || (ready.ahead && !ahead)) {
    const mine = ready = {of, ahead, page: null};
    mine.page = fetch('gradio_api/seeds?' + of + (ahead ? '&ahead=1' : '')).then(async (answer) => {
      if (answer.status !== 200) return null;
      const told = document.createElement('template');
      told.innerHTML = await answer.text();
      return {grid: told.content.firstChild, settings: now, label};
    }).catch(() => null).then((found) => {  // the page says itself that the server is gone
      mine.ahead = false;
      if (!found) mine.of = '';
      return found;
    });
  }
  return ready.page;
};
let begun = {first: '0', turns: []};  // from which page on, and how it is turned, since all was answered
const turnPage = async (turn) => {
  if (idle()) begun = {first: value('play-first'), turns: []};
  begun.turns.push(turn);
  const count = begun.turns.length, from = begun, found = await turned(begun.first, begun.turns);
  if (!found || from !== begun || count !== begun.turns.length || idle()) return;
  page = found;
  lay();
  await Promise.allSettled([...document.querySelectorAll('#seeds .tile img')].map((image) => image.decode()));
};
const tell = () => {
  if (asked.length || !waiting.length) return;
  [asked, waiting] = [waiting, []];
  trigger('did', {did: asked});
};
// Gradio takes a tenth of a second to ask: what can be shown at once is painted first.
let last = '';  // what was done last
const did = (deed, shown = Promise.resolve()) => {
  look();
  last = deed.do;
  waiting.push(deed);
  Promise.race([shown, new Promise((late) => { setTimeout(late, 1000); })])
    .finally(() => requestAnimationFrame(() => setTimeout(tell)));
};
document.addEventListener('gan-play-answered', () => {
  asked = [];
  if (waiting.length) return tell();
  [picture, page] = [null, null];
  setTimeout(() => {
    if (idle()) document.dispatchEvent(new Event('gan-play-settled'));
  });
});
document.addEventListener('gan-play-did', (event) => did(event.detail));
document.addEventListener('gan-play-pick', (event) => {
  const tile = event.target;
  if (!tile.closest('#seeds, #tray, #pair')) return;
  event.preventDefault();
  const {code, seed, label = ''} = tile.dataset, image = tile.querySelector('img');
  picture = {code, src: image.getAttribute('src'), title: image.alt,
    settings: tile.closest('[data-settings]')?.dataset.settings};
  lay();
  did({do: 'pick', seed, label}, at('#stage .large img')?.decode().catch(() => {}));
});
const turner = (event) => {
  const id = event.target.closest?.('#play-next, #play-previous')?.id;
  return id && id.replace('play-', '');
};
document.addEventListener('click', (event) => {
  const turn = turner(event);
  if (turn) did({do: turn}, turnPage(turn));
});
// Whatever else is pressed in Play meanwhile waits until all is answered: an answer that came after it would undo it. What
// was kept or liked is the picture that was shown then; a link of one that has gone would stand under another.
const press = (button, what, code, liked) => {
  const now = button.dataset.code;
  if (!code || now === code) return button.click();
  if (what !== 'keep' && what !== 'like') return;
  button.dataset.code = code;
  if (liked) button.setAttribute('aria-pressed', liked);
  button.click();
  button.dataset.code = now;
  if (what !== 'like') return;
  button.textContent = known.words.like;
  button.setAttribute('aria-pressed', 'false');
  button.pressed = 0;
};
document.addEventListener('click', (event) => {
  const pressed = event.target.closest?.('button, [data-do]');
  if (idle() || !pressed?.closest('#tab-play') || pressed.closest('.tile') || turner(event)
    || known.acts.includes(pressed.dataset.do)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const piece = pressed.closest('[id]')?.id, {do: what, code} = pressed.dataset;
  const liked = pressed.getAttribute('aria-pressed');
  document.addEventListener('gan-play-settled', () => {
    const button = pressed.isConnected ? pressed : at('#' + piece + ' [data-do="' + what + '"]');
    if (button) press(button, what, code, liked);
  }, {once: true});
}, true);
// Once a hand comes near, or a page has been looked at for a while, the page that it would turn to is painted. A finger
// comes near unseen; large pictures, which are painted one by one, wait for a hand all the same.
const near = async (turn, ahead = false, large = true) => {
  const found = await turned(value('play-first'), [turn], ahead);
  if (large) found?.grid.querySelectorAll('img:not([src^="data:"])').forEach((image) => { new Image().src = image.src; });
  return found;
};
const approach = (event) => {
  const turn = turner(event);
  if (turn && idle() && value('play-digest')) near(turn);
};
document.addEventListener('pointerover', approach);
document.addEventListener('focusin', approach);
const over = () => turner({target:
  at('#play-next:hover, #play-previous:hover, #play-next:focus-visible, #play-previous:focus-visible') ?? document.body});
let calm = 0;
const rest = (later = known.calm) => {
  clearTimeout(calm);
  calm = setTimeout(async () => {
    if (!idle() || !value('play-digest') || !at('#seeds')?.checkVisibility() || document.hidden) return;
    const turn = over() || (last === 'previous' && value('play-first') !== '0' ? last : 'next');
    const waits = calm;
    if (!await near(turn, true, false) && calm === waits && later < known.longest) rest(2 * later);
  }, later);
};
document.addEventListener('gan-play-page', () => rest());
document.addEventListener('gan-play-settled', () => {
  const turn = over() || last;
  if (['next', 'previous'].includes(turn)) near(turn, !over());
});
