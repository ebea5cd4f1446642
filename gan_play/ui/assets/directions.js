// The list of directions in Play's Steer, run once. It listens on the component's root, so it survives new contents.
// While a slider is dragged the server is asked for the stage alone; the small copy of the stage stays in sight.
const row_of = (event) => event.target.closest('.direction');
const tell = (row, by) => {
  row.querySelector('output').textContent = (by > 0 ? '+' : '') + Number(by);
};
element.addEventListener('input', (event) => {
  const row = row_of(event);
  if (!row || event.target.type !== 'range') return;
  tell(row, event.target.value);
  trigger('slide', {way: row.dataset.way, by: event.target.value});
});
element.addEventListener('change', (event) => {
  const [row, changed] = [row_of(event), event.target];
  if (!row) return;
  const way = row.dataset.way;
  if (changed.type === 'range') trigger('act', {do: 'move', way, by: changed.value});
  else if (changed.tagName === 'SELECT') trigger('act', {do: 'turn', way, to: changed.value});
  else trigger('rename', {way, name: changed.value});
});
element.addEventListener('keydown', (event) => {
  if (!event.target.classList.contains('direction-name')) return;
  if (event.key === 'Escape') event.target.value = event.target.dataset.was;
  if (event.key === 'Enter' || event.key === 'Escape') event.target.blur();
});
element.addEventListener('click', (event) => {
  const [row, by, doing] = [row_of(event), event.target.closest('[data-by]'), event.target.closest('[data-do]')];
  if (doing?.dataset.do === 'more') return trigger('act', {do: 'more'});
  if (doing && row) return trigger('rename', {way: row.dataset.way, name: ''});
  if (!row || by?.tagName !== 'BUTTON') return;
  row.querySelector('[type=range]').value = by.dataset.by;
  tell(row, by.dataset.by);
  trigger('act', {do: 'move', way: row.dataset.way, by: by.dataset.by});
});
const copy = () => {
  const [from, to] = [document.querySelector('#stage .large img'), element.querySelector('.directions-now')];
  if (from && to && to.src !== from.src) to.src = from.src;
};
const stage = document.querySelector('#stage');
if (stage) new MutationObserver(copy).observe(stage, {subtree: true, childList: true, attributeFilter: ['src']});
// A patched control keeps what it shows: it takes the server's word, unless somebody is at it.
watch('value', () => {
  element.querySelectorAll('.direction').forEach((row) => {
    const [slider, range, name] = ['[type=range]', 'select', '.direction-name'].map((one) => row.querySelector(one));
    if (!slider.matches(':active')) {
      slider.value = slider.dataset.by;
      tell(row, slider.dataset.by);
    }
    range.value = row.dataset.way;
    if (name !== document.activeElement) name.value = name.dataset.was;
  });
  copy();
});
