// The list of directions in Play's Steer, run once. It listens on the component's root, so it survives new contents.
// While a slider is dragged `sliders.js` asks for the picture; the small copy of the stage stays in sight.
const row_of = (event) => event.target.closest('.direction');
const tell = (row, by) => {
  row.querySelector('output').textContent = (by > 0 ? '+' : '') + Number(by);
};
// All rows go along with each change: of two that follow closely the server may be told the second alone. They go
// through a field: what Gradio puts off while an answer is on its way it sends with the event's old data, but with what
// its fields hold by then, so that the last word after a drag is heard.
let sent = 0;
const send = (what) => {
  sent = Date.now();
  const rows = [...element.querySelectorAll('.direction')];
  const field = document.querySelector('#play-asked textarea');
  field.value = JSON.stringify(
    {do: what, at: sent, rows: rows.map((row) => row.dataset.way + '=' + row.querySelector('[type=range]').value).join(' ')});
  field.dispatchEvent(new Event('input'));
};
element.addEventListener('input', (event) => {
  const row = row_of(event);
  if (!row || event.target.type !== 'range') return;
  sent = Date.now();
  tell(row, event.target.value);
});
element.addEventListener('change', (event) => {
  const [row, changed] = [row_of(event), event.target];
  if (!row) return;
  if (changed.type === 'text') return trigger('rename', {way: row.dataset.way, name: changed.value});
  if (changed.tagName === 'SELECT') row.dataset.way = changed.value;
  send('move');
});
element.addEventListener('keydown', (event) => {
  if (!event.target.classList.contains('direction-name')) return;
  if (event.key === 'Escape') event.target.value = event.target.dataset.was;
  if (event.key === 'Enter' || event.key === 'Escape') event.target.blur();
});
element.addEventListener('click', (event) => {
  const [row, by, doing] = [row_of(event), event.target.closest('[data-by]'), event.target.closest('[data-do]')];
  if (doing?.dataset.do === 'more') return send('more');
  if (doing && row) return trigger('rename', {way: row.dataset.way, name: ''});
  if (!row || by?.tagName !== 'BUTTON') return;
  row.querySelector('[type=range]').value = by.dataset.by;
  tell(row, by.dataset.by);
  send('move');
});
const copy = () => {
  const [from, to] = [document.querySelector('#stage .large img'), element.querySelector('.directions-now')];
  if (from && to && to.src !== from.src) to.src = from.src;
};
const stage = document.querySelector('#stage');
if (stage) new MutationObserver(copy).observe(stage, {subtree: true, childList: true, attributeFilter: ['src']});
// A patched control keeps what it shows: it takes the server's word, unless somebody is at it.
const SETTLED_MS = 1500;
const sync = () => {
  const wait = sent + SETTLED_MS - Date.now();
  if (wait > 0) return setTimeout(sync, wait + 50);  // its word may be older than what was just done here
  element.querySelectorAll('.direction').forEach((row) => {
    const [slider, range, name] = ['[type=range]', 'select', '.direction-name'].map((one) => row.querySelector(one));
    if (!slider.matches(':active')) {
      slider.value = slider.dataset.by;
      tell(row, slider.dataset.by);
    }
    range.value = row.dataset.way;
    if (name !== document.activeElement) name.value = name.dataset.was;
  });
};
watch('value', () => {
  sync();
  copy();
});
