// The desk of a translator (ui/draw.py): a sheet to draw on, or a brush that marks damage. While the pen moves, the
// newest state of the sheet is painted, one at a time, and what comes back is shown by painted.js; once it rests, `settled`
// is triggered, and the server paints the whole.
const RESTS_MS = 700, MOST_PAST = 30, SMALL_PX = 256;
const MOST_LAYERS = 6;
let tool = 'pen', colour = null, past = [], future = [], of = '', drawn = 0, shown = 0, busy = false, down = false;
let resting = 0, stroke = 0, layers = [], at = 0, kind = '', run = '';
const desk = () => element.querySelector('.desk');
const canvas = () => element.querySelector('.own canvas');
const isDamage = (on) => on.classList.contains('damage');
const isHints = (on) => on.classList.contains('hints');
const isOver = (on) => isDamage(on) || isHints(on);  // lies over a picture, and is painted with it
const typed = (id) => document.querySelector(`#${id} input[type=number]`)?.value ?? '';

// Layers: the first lies lowest. What is seen on the canvas is what is painted: paper, and the layers that are shown. A
// layer's pixels are remembered once, until something is drawn on it.
const word = (name) => element.querySelector('.layers')?.dataset[name] ?? '';
const layer = (on, name, ground = false) => {
  const own = document.createElement('canvas');
  [own.width, own.height] = [on.width, on.height];
  return {name, ground, canvas: own, shown: true, marked: '', pixels: null};
};
const numbered = (on) => {
  const taken = layers.map((one) => one.name);
  let number = 1;
  while (taken.includes(`${word('layer')} ${number}`)) number += 1;
  return layer(on, `${word('layer')} ${number}`);
};
const compose = () => {
  const on = canvas(), ink = pen(on);
  ink.clearRect(0, 0, on.width, on.height);
  if (!isOver(on)) {
    ink.fillStyle = '#ffffff';
    ink.fillRect(0, 0, on.width, on.height);
  }
  layers.forEach((one) => { if (one.shown) ink.drawImage(one.canvas, 0, 0); });
  on.dataset.marked = layers.some((one) => one.shown && one.marked) ? '1' : '';
};
const state = () => {
  layers.forEach((one) => { one.pixels ??= pen(one.canvas).getImageData(0, 0, one.canvas.width, one.canvas.height); });
  return {at, layers: layers.map((one) => ({...one}))};
};
const restore = (one) => {
  layers = one.layers.map((each) => {
    const again = {...layer(canvas(), each.name, each.ground), shown: each.shown, marked: each.marked};
    pen(again.canvas).putImageData(each.pixels, 0, 0);
    return {...again, pixels: each.pixels};
  });
  at = one.at;
  listed();
  compose();
};
const symbol = (act, place, text, says, pressed = null) => {
  const button = document.createElement('button');
  Object.assign(button, {type: 'button', className: 'quiet', textContent: text, title: says});
  [button.dataset.layer, button.dataset.place] = [act, place];
  button.setAttribute('aria-label', says);
  if (pressed !== null) button.setAttribute('aria-pressed', String(pressed));
  return button;
};
const listed = () => {
  const list = element.querySelector('.layers');
  if (!list) return;
  const rows = layers.length < 2 ? [] : layers.map((one, place) => {
    const row = document.createElement('div'), last = layers.length - 1;
    const name = symbol('choose', place, one.name, one.name, place === at);
    name.classList.add('name');
    row.append(symbol('show', place, one.shown ? '\u25c9' : '\u25cb', `${word('show')}: ${one.name}`, one.shown), name,
      symbol('up', place, '\u2191', `${word('up')}: ${one.name}`),
      symbol('down', place, '\u2193', `${word('down')}: ${one.name}`),
      symbol('out', place, '\u00d7', `${word('out')}: ${one.name}`));
    row.querySelector('[data-layer=up]').disabled = place === last;
    row.querySelector('[data-layer=down]').disabled = place === 0;
    return row;
  }).reverse();
  const more = symbol('more', 0, word('more'), word('moreHint'));
  more.disabled = layers.length >= MOST_LAYERS;
  list.replaceChildren(...rows, more);
};
const arrange = (act, place) => {
  if (act === 'choose') at = place;
  else {
    remember();
    if (act === 'show') layers[place].shown = !layers[place].shown;
    else if (act === 'more') { layers.splice(at + 1, 0, numbered(canvas())); at += 1; }
    else if (act === 'out') { layers.splice(place, 1); at = Math.min(at - (place < at), layers.length - 1); }
    else {
      const other = place + (act === 'up' ? 1 : -1);
      [layers[place], layers[other]] = [layers[other], layers[place]];
      at = at === place ? other : at === other ? place : at;
    }
    compose();
    changed();
  }
  listed();
};

const small = (on) => {
  const asked = Number(typed('translate-size')) || Number(desk().dataset.px);
  const side = asked > SMALL_PX ? Number(desk().dataset.px) : asked, less = document.createElement('canvas');
  const scale = side / Math.max(on.width, on.height);
  [less.width, less.height] = [Math.max(1, Math.round(on.width * scale)), Math.max(1, Math.round(on.height * scale))];
  const ink = less.getContext('2d');
  ink.imageSmoothingQuality = 'high';
  ink.drawImage(on, 0, 0, less.width, less.height);
  return [less.toDataURL('image/png'), String(side)];
};
const live = async () => {
  const on = canvas();
  if (busy || !on || isOver(on)) return;
  busy = true;
  while (shown !== drawn && canvas()) {
    const [asked, sheet, since] = [drawn, of, stroke], [png, side] = small(canvas());
    const back = document.querySelector('#translate-back input')?.checked ? 'back' : '';
    const question = [desk().dataset.run, png, side, typed('translate-strength'), back];
    let answer = {};
    try { answer = await server.live(question); } catch (lost) { /* the next stroke asks again */ }
    if (sheet !== of) break;
    shown = asked;
    const detail = {src: answer.src, before: png, since};
    if (answer.src) document.dispatchEvent(new CustomEvent('gan-play-live', {detail}));
  }
  busy = false;
};
const rest = () => {
  clearTimeout(resting);
  resting = setTimeout(() => {
    resting = 0;
    const on = canvas();
    if (!down && on && (on.dataset.marked || isHints(on))) trigger('settled', {});
  }, RESTS_MS);
};
element.addEventListener('pointerdown', (event) => { down = event.target === canvas(); });
['pointerup', 'pointercancel'].forEach((kind) => document.addEventListener(kind, () => {
  if (down) rest();
  down = false;
}));
// Who is about to choose another translator doesn't want this drawing painted by that one.
document.addEventListener('pointerdown', (event) => {
  if (resting && event.target.closest?.('#translate-model')) rest();
});
const changed = () => {
  drawn += 1;
  stroke = Date.now();
  live();
  rest();
};
const remember = () => {
  past.push(state());
  past = past.slice(-MOST_PAST);
  future = [];
};

brushing(canvas, () => {
  remember();
  const own = layers[at];
  if (!own.shown) { own.shown = true; listed(); }  // nobody draws on what isn't seen
  own.marked = '1';
}, (on, from, to) => {
  const own = layers[at], ink = pen(own.canvas);
  const thick = Number(element.querySelector('.own-row input[type=range]').value), rubber = tool === 'rubber';
  ink.globalCompositeOperation = rubber ? 'destination-out' : 'source-over';
  ink.strokeStyle = isDamage(on) ? '#c2410c' : colour || (isHints(on) ? '#b5562e' : '#1b1b1b');
  line(ink, from, to, rubber && !isOver(on) ? 3 * thick : thick);
  ink.globalCompositeOperation = 'source-over';
  own.pixels = null;
  compose();
  changed();
});

const fill = (chosen) => {
  const own = layers[at], ink = pen(own.canvas);
  ink.clearRect(0, 0, own.canvas.width, own.canvas.height);
  if (chosen) {
    ink.fillStyle = chosen;
    ink.fillRect(0, 0, own.canvas.width, own.canvas.height);
  }
  [own.marked, own.pixels] = [chosen ? '1' : '', null];
  compose();
  changed();
};
const press = (name, value) => element.querySelectorAll(`[data-${name}]`).forEach((one) =>
  one.setAttribute('aria-pressed', String(one.dataset[name] === value)));
const dip = (chosen) => {
  colour = chosen;
  press('colour', chosen);
  if (tool === 'rubber') { tool = 'pen'; press('tool', tool); }
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button || !element.contains(button)) return;
  const {undo, act, colour: pot, layer: does, place} = button.dataset;
  if (button.dataset.choose) element.querySelector('input[type=file]').click();
  else if (act) trigger('act', {act});
  else if (does) arrange(does, Number(place));
  else if (button.dataset.trace) {
    const seen = element.querySelector('.trace');
    seen.hidden = !seen.hidden;
    button.setAttribute('aria-pressed', String(!seen.hidden));
  }
  else if (pot) { dip(pot); element.querySelector('.pots input').value = pot; }
  else if (button.dataset.tool === 'ground') { remember(); fill(colour || '#ffffff'); }
  else if (button.dataset.tool) { tool = button.dataset.tool; press('tool', tool); }
  else if (undo) {
    const [from, to] = undo === 'redo' ? [future, past] : [past, future];
    if (undo === 'clear') { remember(); fill(null); }
    else if (from.length) { to.push(state()); restore(from.pop()); changed(); }
  }
});
element.addEventListener('input', (event) => { if (event.target.type === 'color') dip(event.target.value); });

// A link's drawing is gone on with; its mask, white on black, becomes marks, and its coloured places become hints. What
// was drawn before a photo was laid under it stays.
const load = (src, ready) => {
  const picture = new Image(), sheet = of;
  picture.onload = () => { if (sheet === of) { ready(picture); compose(); } };
  picture.src = src;
};
const begin = (on, drawnBefore) => {
  layers = [];
  layers.push(numbered(on));
  if (drawnBefore.length) layers = drawnBefore.map((one) => {
    const again = {...layer(on, one.name), shown: one.shown, marked: one.marked};
    pen(again.canvas).drawImage(one.canvas, 0, 0, on.width, on.height);
    return again;
  });
  at = layers.length - 1;
  compose();
  if (on.dataset.ground) load(on.dataset.ground, (picture) => {
    const lowest = {...layer(on, word('ground'), true), marked: '1'};
    pen(lowest.canvas).drawImage(picture, 0, 0, on.width, on.height);
    layers.unshift(lowest);
    at += 1;
    listed();
    compose();
    changed();
  });
  if (on.dataset.src) load(on.dataset.src, (picture) => {
    const own = layers[0], ink = pen(own.canvas);
    ink.drawImage(picture, 0, 0, on.width, on.height);
    own.marked = '1';
    if (!isOver(on)) return;
    const seen = ink.getImageData(0, 0, on.width, on.height), data = seen.data;
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
      if (isDamage(on)) data.set([194, 65, 12, r > 127 ? 255 : 0], i);
      else data[i + 3] = Math.max(r, g, b) - Math.min(r, g, b) > 12 ? 255 : 0;
    }
    ink.putImageData(seen, 0, 0);
  });
  listed();
};
const lay = () => {
  const now = desk();
  if (!now || now.dataset.of === of) return;
  of = now.dataset.of;
  clearTimeout(resting);
  resting = 0;
  [past, future, tool, colour, shown] = [[], [], 'pen', null, drawn];
  const on = canvas(), same = kind === 'draw' && now.dataset.kind === 'draw' && run === now.dataset.run;
  const before = on?.dataset.ground && same ? layers.filter((one) => !one.ground && one.marked) : [];
  [kind, run] = [now.dataset.kind, now.dataset.run];
  if (on) begin(on, before);
};
watch('value', lay);
lay();
