// The desk of a translator (ui/draw.py): a sheet to draw on, or a brush that marks damage. While the pen moves, the
// newest state of the sheet is painted, one at a time, and what comes back is shown by painted.js; once it rests, `settled`
// is triggered, and the server paints the whole.
const RESTS_MS = 700, MOST_PAST = 30, SMALL_PX = 256;
let tool = 'pen', colour = null, past = [], future = [], of = '', drawn = 0, shown = 0, busy = false, down = false;
let resting = 0;
const desk = () => element.querySelector('.desk');
const canvas = () => element.querySelector('.own canvas');
const isDamage = (on) => on.classList.contains('damage');
const typed = (id) => document.querySelector(`#${id} input[type=number]`)?.value ?? '';
const state = (on) => ({pixels: pen(on).getImageData(0, 0, on.width, on.height), marked: on.dataset.marked});
const restore = (on, one) => { pen(on).putImageData(one.pixels, 0, 0); on.dataset.marked = one.marked; };

const small = (on) => {
  const asked = Number(typed('translate-size')) || Number(desk().dataset.px);
  const side = asked > SMALL_PX ? Number(desk().dataset.px) : asked, less = document.createElement('canvas');
  [less.width, less.height] = [side, side];
  const ink = less.getContext('2d');
  ink.imageSmoothingQuality = 'high';
  ink.drawImage(on, 0, 0, side, side);
  return [less.toDataURL('image/png'), String(side)];
};
const live = async () => {
  const on = canvas();
  if (busy || !on || isDamage(on)) return;
  busy = true;
  while (shown !== drawn && canvas()) {
    const [asked, sheet] = [drawn, of], [png, side] = small(canvas());
    const back = document.querySelector('#translate-back input')?.checked ? 'back' : '';
    const question = [desk().dataset.run, png, side, typed('translate-strength'), back];
    let answer = {};
    try { answer = await server.live(question); } catch (lost) { /* the next stroke asks again */ }
    if (sheet !== of) break;
    shown = asked;
    if (answer.src) document.dispatchEvent(new CustomEvent('gan-play-live', {detail: {src: answer.src, before: png}}));
  }
  busy = false;
};
const rest = () => {
  clearTimeout(resting);
  resting = setTimeout(() => { if (!down && canvas()?.dataset.marked) trigger('settled', {}); }, RESTS_MS);
};
element.addEventListener('pointerdown', (event) => { down = event.target === canvas(); });
['pointerup', 'pointercancel'].forEach((kind) => document.addEventListener(kind, () => {
  if (down) rest();
  down = false;
}));
const changed = () => {
  drawn += 1;
  live();
  rest();
};
const remember = (on) => {
  past.push(state(on));
  past = past.slice(-MOST_PAST);
  future = [];
};

brushing(canvas, (on) => {
  remember(on);
  on.dataset.marked = '1';
}, (on, from, to) => {
  const ink = pen(on), thick = Number(element.querySelector('.own-row input[type=range]').value);
  const rubber = tool === 'rubber', out = rubber && isDamage(on);
  ink.globalCompositeOperation = out ? 'destination-out' : 'source-over';
  ink.strokeStyle = isDamage(on) ? '#c2410c' : rubber ? '#ffffff' : colour || '#1b1b1b';
  line(ink, from, to, rubber && !out ? 3 * thick : thick);
  ink.globalCompositeOperation = 'source-over';
  changed();
});

const blank = (on) => {
  const ink = pen(on);
  ink.clearRect(0, 0, on.width, on.height);
  if (!isDamage(on)) {
    ink.fillStyle = '#ffffff';
    ink.fillRect(0, 0, on.width, on.height);
  }
  on.dataset.marked = '';
};
const ground = (on) => {
  remember(on);
  const ink = pen(on);
  ink.fillStyle = colour || '#ffffff';
  ink.fillRect(0, 0, on.width, on.height);
  on.dataset.marked = '1';
};
const press = (name, value) => element.querySelectorAll(`[data-${name}]`).forEach((one) =>
  one.setAttribute('aria-pressed', String(one.dataset[name] === value)));
const dip = (chosen) => {
  colour = chosen;
  press('colour', chosen);
  if (tool === 'rubber') { tool = 'pen'; press('tool', tool); }
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button'), on = canvas();
  if (!button || !element.contains(button)) return;
  const {undo, act, colour: pot} = button.dataset;
  if (button.dataset.choose) element.querySelector('input[type=file]').click();
  else if (act) trigger('act', {act});
  else if (pot) { dip(pot); element.querySelector('.pots input').value = pot; }
  else if (button.dataset.tool === 'ground') { ground(on); changed(); }
  else if (button.dataset.tool) { tool = button.dataset.tool; press('tool', tool); }
  else if (undo) {
    const [from, to] = undo === 'redo' ? [future, past] : [past, future];
    if (undo === 'clear') { remember(on); blank(on); }
    else if (from.length) { to.push(state(on)); restore(on, from.pop()); }
    changed();
  }
});
element.addEventListener('input', (event) => { if (event.target.type === 'color') dip(event.target.value); });

// A link's drawing is gone on with; its mask, white on black, becomes marks.
const begin = (on) => {
  blank(on);
  if (!on.dataset.src) return;
  const picture = new Image();
  picture.onload = () => {
    const ink = pen(on);
    ink.drawImage(picture, 0, 0, on.width, on.height);
    on.dataset.marked = '1';
    if (!isDamage(on)) return;
    const seen = ink.getImageData(0, 0, on.width, on.height);
    for (let at = 0; at < seen.data.length; at += 4) {
      const white = seen.data[at] > 127;
      seen.data.set([194, 65, 12, white ? 255 : 0], at);
    }
    ink.putImageData(seen, 0, 0);
  };
  picture.src = on.dataset.src;
};
const lay = () => {
  const now = desk();
  if (!now || now.dataset.of === of) return;
  of = now.dataset.of;
  clearTimeout(resting);
  [past, future, tool, colour, shown] = [[], [], 'pen', null, drawn];
  if (canvas()) begin(canvas());
};
watch('value', lay);
lay();
